import { fromBinary } from '@bufbuild/protobuf';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { dirname } from 'node:path';
import { TensorProtoSchema } from '../onnx/proto/onnx_pb.generated.ts';
import { readWhole } from '../onnx/read.ts';
import { openInside } from '../onnx/read/inside-folder.ts';
import { defaultLimits, type Limits } from '../onnx/validate/limits.ts';
import { scanWire } from '../onnx/validate/wire.ts';

/**
 * SHA-256 of each file beside a model that holds some of its weights, by its name inside the folder of the model; none
 * where the model is one file. What may not be opened is left out: reading the model says why. Throws MODEL_UNREADABLE
 * for what is no ONNX file.
 */
export async function hashExternalFiles(path: string, limits: Limits = defaultLimits): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {};
  for (const parts of externalFiles(readWhole(path, limits), path, limits)) {
    const file = openInside(dirname(path), parts);
    if (!('descriptor' in file)) continue;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream('', { fd: file.descriptor, highWaterMark: 2 ** 20 })) hash.update(chunk);
    hashes[parts.join('/')] = hash.digest('hex');
  }
  return hashes;
}

function externalFiles(bytes: Uint8Array, path: string, limits: Limits): readonly (readonly string[])[] {
  const names = new Set<string>();
  for (const [start, end] of scanWire(bytes, { path }, limits).externalData) {
    // The field alone is a TensorProto that has nothing else.
    for (const { key, value } of fromBinary(TensorProtoSchema, bytes.subarray(start, end)).externalData) {
      if (key === 'location') names.add(value);
    }
  }
  const files = [...names].map((name) => name.split(/[/\\]/).filter((part) => part !== '' && part !== '.'));
  return files.filter((parts) => parts.length > 0 && !parts.includes('..'));
}
