import { fromBinary } from '@bufbuild/protobuf';
import { readFile, stat } from 'node:fs/promises';
import { WorkbenchError } from '../base/errors.ts';
import { isFloatDtype } from './element-types.ts';
import type { OnnxModel } from './graph.ts';
import { type ModelProto, ModelProtoSchema } from './proto/onnx_pb.generated.ts';
import { domainOf, FunctionInliner } from './read/functions.ts';
import { GraphReader } from './read/graph.ts';
import { listed, type Source, unreadable } from './read/problem.ts';

/** protobuf messages cannot be larger. */
const sizeLimitBytes = 2 ** 31 - 1;

/** First bytes of files that are often taken for ONNX files. */
const otherFormats: readonly (readonly [bytes: string, what: string])[] = [
  ['504b0304', 'a zip archive (PyTorch .pt and Keras .keras files are such)'],
  ['89484446', 'an HDF5 file (Keras .h5)'],
  ['8002', 'a Python pickle'],
  ['1f8b', 'a gzip file'],
  ['89504e47', 'a PNG image'],
  ['ffd8ff', 'a JPEG image'],
];

const exportHint = 'Give a .onnx file as torch.onnx, tf2onnx or another exporter writes it.';

function formatOf(bytes: Uint8Array): string | undefined {
  const start = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
  // An ORT flat buffer has its mark after four bytes.
  if (start.slice(8) === '4f52544d') return 'a file in onnxruntime’s own format';
  return otherFormats.find(([mark]) => start.startsWith(mark))?.[1];
}

function parse(bytes: Uint8Array, source: Source): ModelProto {
  const format = formatOf(bytes);
  if (format !== undefined) throw unreadable(source, `expected an ONNX model, got ${format}`, exportHint);
  try {
    return fromBinary(ModelProtoSchema, bytes);
  } catch (cause) {
    // Every exporter writes the IR version first: field 1, a varint.
    const isBegun = bytes[0] === 0x08;
    throw isBegun
      ? unreadable(
          source,
          `expected a whole ONNX model, got ${bytes.length} bytes that end or break in the middle`,
          'The file is truncated or damaged. Copy or export it again.',
          cause,
        )
      : unreadable(source, 'expected an ONNX model, got something else', exportHint, cause);
  }
}

/**
 * Reads a ModelProto. Local functions are inlined, Constant nodes and copies of initialisers become initialisers, inputs
 * that are initialisers are dropped, nodes are put in order. External data is read only from the folder of `path`.
 * Throws MODEL_UNREADABLE for anything that is not a sound ONNX file, OP_UNSUPPORTED for types that are not covered.
 */
export function readModel(bytes: Uint8Array, options: { readonly path?: string } = {}): OnnxModel {
  const source: Source = { path: options.path };
  if (bytes.length === 0) throw unreadable(source, 'expected an ONNX model, got an empty file', exportHint);
  const proto = parse(bytes, source);
  const opsets = new Map(proto.opsetImport.map(({ domain, version }) => [domainOf(domain), Number(version)]));
  const opset = opsets.get('');
  if (proto.graph === undefined || proto.graph.output.length === 0) {
    throw unreadable(source, 'expected an ONNX model with a graph that has outputs, got none', exportHint);
  }
  if (opset === undefined || opset < 1) {
    throw unreadable(
      source,
      'expected the version of the operator set, got none',
      'The file may be truncated. Copy or export it again.',
    );
  }
  const graph = new GraphReader(source, new FunctionInliner(proto, source)).read(proto.graph);
  return {
    irVersion: Number(proto.irVersion),
    opset,
    otherOpsets: Object.fromEntries([...opsets].filter(([domain]) => domain !== '')),
    producer: `${proto.producerName} ${proto.producerVersion}`.trim(),
    graph,
    metadata: Object.fromEntries(proto.metadataProps.map(({ key, value }) => [key, value])),
  };
}

/** Reads a model file, as readModel. Throws MODEL_UNREADABLE naming the path. */
export async function loadModel(path: string): Promise<OnnxModel> {
  const source: Source = { path };
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(
      source,
      'expected a file, found nothing that can be opened',
      'Check the path and the permissions.',
      cause,
    );
  });
  if (!found.isFile()) {
    throw unreadable(
      source,
      `expected a file, got ${found.isDirectory() ? 'a directory' : 'something else'}`,
      'Give the .onnx file itself.',
    );
  }
  if (found.size > sizeLimitBytes) {
    throw unreadable(
      source,
      `expected at most ${sizeLimitBytes} bytes, got ${found.size}`,
      'Export with external data.',
    );
  }
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw unreadable(source, 'the file could not be read', 'Check the permissions.', cause);
  });
  return readModel(bytes, { path });
}

/** Throws MODEL_NOT_FINITE naming all initialisers that hold NaN or infinity. */
export function checkFinite(model: OnnxModel): void {
  const bad = [...model.graph.initializers].filter(
    ([, { dtype, data }]) => isFloatDtype(dtype) && !isFinite32(data, dtype === 'float16'),
  );
  if (bad.length === 0) return;
  throw new WorkbenchError(
    'MODEL_NOT_FINITE',
    `Expected finite weights, got NaN or infinity in ${listed(bad.map(([name]) => name))}`,
    {
      hint: 'The training of this model has diverged. Use an earlier checkpoint.',
      details: { tensors: bad.map(([name]) => name) },
    },
  );
}

function isFinite32(data: ArrayLike<number | bigint>, isHalf: boolean): boolean {
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    // Half floats are raw bits: all exponent bits set means not finite.
    if (isHalf ? (value & 0x7c00) === 0x7c00 : !Number.isFinite(value)) return false;
  }
  return true;
}
