import { basename } from 'node:path';
import { float32, tensor, viewBytes, type DType, type Tensor } from '../base/tensor.ts';
import { unsuitable } from './errors.ts';
import { defaultMemoryLimitBytes, openDataFile } from './files.ts';
import { parseNpy } from './formats/npy.ts';
import { openZipEntry, readZipDirectory } from './formats/zip.ts';
import { openSafetensors } from './safetensors.ts';

export interface NamedTensors {
  /** File name, for messages. */
  readonly name: string;
  /** Hex SHA-256 of the file. */
  readonly sha256: string;
  /** float16 and bfloat16 are given as float32, which holds each of their values. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Names of the tensors that the file holds as float16 or bfloat16. */
  readonly halves: readonly string[];
}

/**
 * Every tensor of a .safetensors or .npz file by its name. @throws DATA_UNREADABLE, and DATA_UNSUITABLE for other files
 * and element types
 */
export async function readNamedTensors(path: string): Promise<NamedTensors> {
  const lower = path.toLowerCase();
  if (lower.endsWith('.safetensors')) return readSafetensors(path);
  if (lower.endsWith('.npz')) return readNpz(path);
  throw unsuitable(
    `${basename(path)} holds no tensors by name, expected .safetensors or .npz`,
    'Save them with safetensors.torch.save_file(tensors, path) or numpy.savez(path, **arrays).',
  );
}

async function readSafetensors(path: string): Promise<NamedTensors> {
  const file = await openSafetensors(path);
  try {
    const { name, sha256 } = file;
    const raw: [string, Tensor][] = [];
    for (const key of file.entries.keys()) raw.push([key, await file.read(key)]);
    const { tensors, halves } = widened(raw);
    const brief = [...file.entries].flatMap(([key, { isBfloat16 }]) => (isBfloat16 ? [key] : []));
    return { name, sha256, tensors, halves: [...halves, ...brief] };
  } finally {
    await file.close();
  }
}

const npyTypes: Readonly<Record<string, DType>> = {
  f2: 'float16',
  f4: 'float32',
  f8: 'float64',
  i1: 'int8',
  i2: 'int16',
  i4: 'int32',
  i8: 'int64',
  u1: 'uint8',
  u2: 'uint16',
  u4: 'uint32',
  u8: 'uint64',
  b1: 'bool',
};

async function readNpz(path: string): Promise<NamedTensors> {
  const file = await openDataFile(path, defaultMemoryLimitBytes);
  try {
    const { name, sha256, content } = file;
    const raw: [string, Tensor][] = [];
    for (const entry of await readZipDirectory(content, name)) {
      const key = entry.name.replace(/\.npy$/u, '');
      const { descr, dims, data } = await parseNpy(await openZipEntry(content, entry, name), `${name}: "${key}"`);
      const dtype = npyTypes[descr.slice(1)];
      if (dtype === undefined) {
        throw unsuitable(`${name}: "${key}" has dtype ${descr}, expected real numbers`, 'Save it as float32.');
      }
      // A copy, as elements in an archive need not be aligned.
      raw.push([key, tensor(dtype, dims, viewBytes(dtype, new Uint8Array(await data.read(0, data.length))))]);
    }
    return { name, sha256, ...widened(raw) };
  } finally {
    await file.close();
  }
}

function widened(raw: readonly (readonly [string, Tensor])[]): Pick<NamedTensors, 'tensors' | 'halves'> {
  const halves = raw.flatMap(([key, { dtype }]) => (dtype === 'float16' ? [key] : []));
  const tensors = new Map(
    raw.map(([key, value]) => [
      key,
      value.dtype === 'float16' ? float32(value.dims, Float32Array.from(value.data, floatOfHalf)) : value,
    ]),
  );
  return { tensors, halves };
}

/** What the bits of a float16 mean. */
function floatOfHalf(bits: number | bigint): number {
  const word = Number(bits);
  const sign = (word & 0x8000) === 0 ? 1 : -1;
  const exponent = (word >> 10) & 31;
  const mantissa = word & 0x3ff;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : Number.NaN;
  return sign * (exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25));
}
