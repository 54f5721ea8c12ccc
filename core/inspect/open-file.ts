import { createHash } from 'node:crypto';
import { createReadStream, statSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { hashExternalFiles } from './external-files.ts';
import type { OnnxModel } from '../onnx/graph.ts';
import { readModelFile } from '../onnx/read.ts';
import type { FileFacts } from './inspection.ts';

/** What is known of a model file from outside its graph. */
export type OuterFacts = Pick<FileFacts, 'path' | 'sizeBytes' | 'sha256' | 'hasExternalData' | 'weights'>;

/** Reads a model file, with the hashes of all files that it is made of. @throws MODEL_UNREADABLE, OP_UNSUPPORTED */
export async function openModelFile(path: string): Promise<{ model: OnnxModel; file: OuterFacts }> {
  const { model, hasExternalData } = readModelFile(path);
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  const weights = hasExternalData ? await hashExternalFiles(path) : {};
  const file = { path, sizeBytes: statSync(path).size, sha256: hash.digest('hex'), hasExternalData, weights };
  return { model, file };
}
