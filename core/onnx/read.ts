import { fromBinary } from '@bufbuild/protobuf';
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { WorkbenchError } from '../base/errors.ts';
import type { TensorData } from '../base/tensor.ts';
import { isFloatDtype } from './element-types.ts';
import type { OnnxModel } from './graph.ts';
import { type ModelProto, ModelProtoSchema } from './proto/onnx_pb.generated.ts';
import { FunctionInliner } from './read/functions.ts';
import { GraphReader } from './read/graph.ts';
import { kindOf } from './read/inside-folder.ts';
import { listed, refusal, type Source } from './read/problem.ts';
import { TensorReader } from './read/tensor.ts';
import { checkControlFlow } from './validate/control-flow.ts';
import { domainOf } from './validate/domains.ts';
import { defaultLimits, type Limits } from './validate/limits.ts';
import { checkMemory } from './validate/memory.ts';
import { checkModelProto } from './validate/model-proto.ts';
import { renamePlainRuns, scanWire, type WireFacts } from './validate/wire.ts';

/** First bytes of files that are often taken for ONNX files. */
const otherFormats: readonly (readonly [bytes: string, what: string])[] = [
  ['504b0304', 'a zip archive (PyTorch .pt and Keras .keras files are such)'],
  ['89484446', 'an HDF5 file (Keras .h5)'],
  ['8002', 'a Python pickle'],
  ['1f8b', 'a gzip file'],
  ['89504e47', 'a PNG image'],
  ['ffd8ff', 'a JPEG image'],
];

function formatOf(bytes: Uint8Array): string | undefined {
  const start = Array.from(bytes.subarray(0, 8), (byte) => byte.toString(16).padStart(2, '0')).join('');
  // An ORT flat buffer has its mark after four bytes.
  if (start.slice(8) === '4f52544d') return 'a file in onnxruntime’s own format';
  return otherFormats.find(([mark]) => start.startsWith(mark))?.[1];
}

/** Numbers in lists are read as such up to this size; beyond it they are worth a copy of the file. */
const listLimitBytes = 2 ** 20;

interface Parsed {
  readonly proto: ModelProto;
  readonly facts: WireFacts;
}

function parse(bytes: Uint8Array, source: Source, { limits, ownsBytes }: Required<ReadOptions>): Parsed {
  const format = formatOf(bytes);
  if (format !== undefined) throw refusal('ONNX_E_FORMAT', source, `expected an ONNX model, got ${format}`);
  if (bytes.length > limits.fileBytes) {
    const message = `expected at most ${limits.fileBytes} bytes, got ${bytes.length}`;
    throw refusal('ONNX_E_FILE_SIZE', source, message);
  }
  let own = ownsBytes ? bytes : undefined;
  try {
    const facts = scanWire(bytes, source, limits);
    if (facts.plainBytes > listLimitBytes) own ??= Uint8Array.from(bytes);
    if (own !== undefined) renamePlainRuns(own, facts);
    return { proto: fromBinary(ModelProtoSchema, own ?? bytes, { readUnknownFields: false }), facts };
  } catch (cause) {
    // Every exporter writes the IR version first: field 1, a varint.
    const isBegun = bytes[0] === 0x08;
    if (!isBegun) throw refusal('ONNX_E_FORMAT', source, 'expected an ONNX model, got something else', { cause });
    if (cause instanceof WorkbenchError) throw cause;
    const message = `expected a whole ONNX model, got ${bytes.length} bytes that break in the middle`;
    throw refusal('ONNX_E_WIRE_LENGTH', source, message, { cause });
  }
}

interface ReadOptions {
  /** External data are read from the folder of this file, and only from there. */
  readonly path?: string | undefined;
  /** Instead of the default ones. */
  readonly limits?: Limits;
  /** The bytes are the reader's, who may move weights inside them instead of copying them; false when absent. */
  readonly ownsBytes?: boolean;
}

/**
 * Reads a ModelProto and holds it against the rules of docs/hostile-files.md. Local functions are inlined, Constant nodes
 * and copies of initialisers become initialisers, inputs that are initialisers are dropped, nodes are put in order. Throws
 * MODEL_UNREADABLE for anything that is not a sound ONNX file, OP_UNSUPPORTED for types that are not covered; the rule
 * that is broken stands in `details.rule`.
 */
export const readModel = (bytes: Uint8Array, options: ReadOptions = {}): OnnxModel => readWith(bytes, options).model;

export interface ReadFile {
  readonly model: OnnxModel;
  /** Part of the model stands in other files, so that the hash of this one does not tell all. */
  readonly hasExternalData: boolean;
}

function readWith(bytes: Uint8Array, options: ReadOptions): ReadFile {
  const { path, limits = defaultLimits, ownsBytes = false } = options;
  const source: Source = { path };
  if (bytes.length === 0) throw refusal('ONNX_E_EMPTY', source, 'expected an ONNX model, got an empty file');
  const { proto, facts } = parse(bytes, source, { path, limits, ownsBytes });
  checkModelProto(proto, source, limits);
  const model = modelOf(proto, new TensorReader({ source, limits, ownsBytes }));
  checkControlFlow(model.graph, source, limits);
  checkMemory(model, source, limits);
  return { model, hasExternalData: facts.externalData.length > 0 };
}

function modelOf(proto: ModelProto, tensors: TensorReader): OnnxModel {
  const opsets = new Map(proto.opsetImport.map(({ domain, version }) => [domainOf(domain), Number(version)]));
  const opset = opsets.get('');
  if (proto.graph === undefined || opset === undefined) {
    throw refusal('ONNX_E_NO_GRAPH', tensors.source, 'expected a graph and its operator set, got none');
  }
  return {
    irVersion: Number(proto.irVersion),
    opset,
    otherOpsets: Object.fromEntries([...opsets].filter(([domain]) => domain !== '')),
    producer: `${proto.producerName} ${proto.producerVersion}`.trim(),
    graph: new GraphReader(tensors, new FunctionInliner(proto)).read(proto.graph),
    metadata: Object.fromEntries(proto.metadataProps.map(({ key, value }) => [key, value])),
  };
}

/** Reads a model file, as readModel, naming the path in errors. */
export async function loadModel(path: string, limits: Limits = defaultLimits): Promise<OnnxModel> {
  return readModelFile(path, limits).model;
}

/** As loadModel, with what only the file itself tells. */
export const readModelFile = (path: string, limits: Limits = defaultLimits): ReadFile =>
  readWith(readWhole(path, limits), { path, limits, ownsBytes: true });

/** One read call takes less than 2 GiB. */
const chunkBytes = 2 ** 30;

/** The bytes of an ordinary file, in an array of their own. What has been looked at is what is read. */
export function readWhole(path: string, limits: Limits): Uint8Array {
  const source: Source = { path };
  const descriptor = openModel(path, source);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile()) throw refusal('ONNX_E_FILE_KIND', source, `expected a file, got ${kindOf(stats)}`);
    if (stats.size > limits.fileBytes) {
      throw refusal('ONNX_E_FILE_SIZE', source, `expected at most ${limits.fileBytes} bytes, got ${stats.size}`);
    }
    const bytes = new Uint8Array(stats.size);
    for (let done = 0; done < bytes.length;) {
      const count = readSync(descriptor, bytes, done, Math.min(chunkBytes, bytes.length - done), done);
      if (count === 0) throw refusal('ONNX_E_FILE_KIND', source, 'the file became shorter while it was read');
      done += count;
    }
    return bytes;
  } catch (cause) {
    if (cause instanceof WorkbenchError) throw cause;
    throw refusal('ONNX_E_FILE_KIND', source, 'the file could not be read', { cause });
  } finally {
    closeSync(descriptor);
  }
}

function openModel(path: string, source: Source): number {
  try {
    // Does not wait for the writer of a pipe. Windows has no such flag.
    return openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    throw refusal('ONNX_E_FILE_KIND', source, 'expected a file, found nothing that can be opened', { cause });
  }
}

/**
 * Throws MODEL_NOT_FINITE naming all initialisers that hold NaN or infinity. Masks of attention and the padding of maxima
 * hold −infinity by intent: tensors of zeros and −infinity alone are let through.
 */
export function checkFinite(model: OnnxModel): void {
  const bad = [...model.graph.initializers].filter(
    ([, { dtype, data }]) => isFloatDtype(dtype) && !areFinite(data) && isBroken(data, dtype === 'float16'),
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

/** By their bits, which is quick: where all those of the exponent are set stands no finite number. */
function areFinite(data: TensorData): boolean {
  if (data instanceof Uint16Array) return !hasBits(data, 0, 1, 0x7c00);
  const words = new Int32Array(data.buffer, data.byteOffset, data.byteLength / 4);
  // Little-endian: the exponent of a double is in its second word.
  return data instanceof Float64Array ? !hasBits(words, 1, 2, 0x7ff00000) : !hasBits(words, 0, 1, 0x7f800000);
}

function hasBits(words: Int32Array | Uint16Array, first: number, step: number, bits: number): boolean {
  for (let i = first; i < words.length; i += step) if ((words[i]! & bits) === bits) return true;
  return false;
}

function isBroken(data: ArrayLike<number | bigint>, isHalf: boolean): boolean {
  let hasMask = false;
  let hasWeight = false;
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    // Half floats are raw bits: all exponent bits set means not finite, with the sign alone −infinity.
    const isMask = isHalf ? value === 0xfc00 : value === -Infinity;
    if (!isMask && (isHalf ? (value & 0x7c00) === 0x7c00 : !Number.isFinite(value))) return true;
    hasMask ||= isMask;
    hasWeight ||= !isMask && (isHalf ? (value & 0x7fff) !== 0 : value !== 0);
  }
  return hasMask && hasWeight;
}
