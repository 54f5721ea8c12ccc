import { z } from 'zod';
import { bytesPerElement, sizeOf, tensor, viewBytes, type DType, type Tensor } from '../base/tensor.ts';
import { grouped, unreadable, unsuitable } from './errors.ts';
import { openDataFile, type Region } from './files.ts';

/**
 * The safetensors format: length of the header (8 bytes, little-endian), the header as JSON, then the elements of all
 * tensors one after the other, little-endian and row-major.
 */

export interface SafetensorsFile {
  readonly name: string;
  /** Hex SHA-256 of the file. */
  readonly sha256: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of the elements in the file. bfloat16 is given as float32, which holds each of its values. */
  readonly entries: ReadonlyMap<
    string,
    { readonly dtype: DType; readonly dims: readonly number[]; readonly isBfloat16: boolean }
  >;
  /** @throws DATA_UNREADABLE when there is no tensor of that name. */
  read(tensorName: string): Promise<Tensor>;
  close(): Promise<void>;
}

interface Entry {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly isBfloat16: boolean;
  readonly begin: number;
  readonly end: number;
}

const dtypesByCode: Readonly<Record<string, DType>> = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'float32',
  I64: 'int64',
  I32: 'int32',
  I16: 'int16',
  I8: 'int8',
  U64: 'uint64',
  U32: 'uint32',
  U16: 'uint16',
  U8: 'uint8',
  BOOL: 'bool',
};

/** The format's own reader takes 100 MB, which as objects are gigabytes; a header of a network has some kilobytes. */
const maxHeaderBytes = 2 ** 24;
const maxRank = 32;
const prefixBytes = 8;
/** Held in memory whole up to this size; read from disk tensor by tensor above it. */
const memoryLimitBytes = 256 * 2 ** 20;

const again = 'Save the file again with safetensors, or copy it again.';
const size = z.int().min(0);
const EntryData = z.object({
  dtype: z.string(),
  shape: z.array(size).max(maxRank),
  data_offsets: z.tuple([size, size]),
});

/**
 * Opens a safetensors file. The header is checked against the length of the file before anything is read: offsets inside
 * the file, no overlap, no gap, shape × type = bytes.
 * @throws DATA_UNREADABLE, and DATA_UNSUITABLE for element types that are not covered.
 */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const file = await openDataFile(path, memoryLimitBytes);
  try {
    const { content, name, sha256 } = file;
    const { header, dataStart } = await readHeader(content, name);
    const { metadata, entries } = checkHeader(header, content.length - dataStart, name);
    return {
      name,
      sha256,
      metadata,
      entries,
      async read(tensorName) {
        const entry = entries.get(tensorName);
        if (!entry)
          throw unreadable(`${name} has no tensor ${quoted(tensorName)}`, `It has: ${listed([...entries.keys()])}.`);
        return tensorOf(entry, await content.read(dataStart + entry.begin, entry.end - entry.begin));
      },
      close: file.close,
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function readHeader(content: Region, name: string): Promise<{ header: object; dataStart: number }> {
  if (content.length < prefixBytes + 2) {
    throw unreadable(`${name} is not a safetensors file: expected 10 bytes and more, got ${content.length}`, again);
  }
  const prefix = await content.read(0, prefixBytes);
  const claimed = new DataView(prefix.buffer, prefix.byteOffset, prefixBytes).getBigUint64(0, true);
  const room = Math.min(maxHeaderBytes, content.length - prefixBytes);
  if (claimed > BigInt(room) || claimed < 2n) {
    throw unreadable(
      `${name} is no safetensors file or truncated: expected a header of 2 to ${grouped(room)} bytes, got ${claimed}`,
      again,
    );
  }
  const text = await content.read(prefixBytes, Number(claimed));
  if (text[0] !== 0x7b) {
    throw unreadable(`${name} is not a safetensors file: expected a header that begins with {`, again);
  }
  try {
    const header: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(text));
    if (typeof header === 'object' && header !== null) return { header, dataStart: prefixBytes + Number(claimed) };
  } catch (cause) {
    throw unreadable(`${name}: expected a header of JSON in UTF-8, got something that cannot be parsed`, again, cause);
  }
  throw unreadable(`${name}: expected a JSON object as header`, again);
}

function checkHeader(
  header: object,
  dataBytes: number,
  name: string,
): { metadata: Readonly<Record<string, string>>; entries: ReadonlyMap<string, Entry> } {
  const { metadata = {}, tensors } = partsOf(header, name);
  const sorted = tensors.toSorted(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let filled = 0;
  for (const [key, { begin, end }] of sorted) {
    if (begin !== filled) {
      throw unreadable(
        `${name}: expected tensor ${quoted(key)} to begin at byte ${grouped(filled)} of the data, where the one before it ends, got ${grouped(begin)}`,
        again,
      );
    }
    filled = end;
  }
  if (filled !== dataBytes) {
    throw unreadable(
      `${name} ${filled > dataBytes ? 'is truncated' : 'is longer than its header says'}: expected ${grouped(filled)} bytes of data, got ${grouped(dataBytes)}`,
      again,
    );
  }
  return { metadata, entries: new Map(sorted) };
}

function partsOf(
  header: object,
  name: string,
): { metadata: Readonly<Record<string, string>> | undefined; tensors: [string, Entry][] } {
  let metadata: Readonly<Record<string, string>> | undefined;
  const tensors: [string, Entry][] = [];
  for (const [key, value] of Object.entries(header)) {
    if (key !== '__metadata__') {
      tensors.push([key, entryOf(key, value, name)]);
      continue;
    }
    if (!isStrings(value)) throw unreadable(`${name}: expected __metadata__ to be an object of strings`, again);
    metadata = value;
  }
  return { metadata, tensors };
}

/** Not by a schema, which would write down what is wrong with each of a million entries. */
const isStrings = (value: unknown): value is Readonly<Record<string, string>> =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((each) => typeof each === 'string');

function entryOf(key: string, value: unknown, name: string): Entry {
  const parsed = EntryData.safeParse(value);
  if (!parsed.success) {
    throw unreadable(
      `${name}: expected tensor ${quoted(key)} to have dtype, shape and data_offsets, got ${reasonsOf(parsed.error)}`,
      again,
    );
  }
  const { dtype: code, shape, data_offsets: offsets } = parsed.data;
  const dtype = Object.hasOwn(dtypesByCode, code) ? dtypesByCode[code] : undefined;
  if (dtype === undefined) {
    throw unsuitable(
      `${name}: tensor ${quoted(key)} has element type ${quoted(code)}, expected one of ${Object.keys(dtypesByCode).join(', ')}`,
      'Save it as float32.',
    );
  }
  const [begin, end] = offsets;
  const isBfloat16 = code === 'BF16';
  const bytes = sizeOf(shape) * (isBfloat16 ? 2 : bytesPerElement(dtype));
  if (end - begin !== bytes) {
    throw unreadable(
      `${name}: expected ${grouped(bytes)} bytes for tensor ${quoted(key)}, ${code} of shape [${shape.join(', ')}], got ${grouped(end - begin)}`,
      again,
    );
  }
  return { dtype, dims: shape, isBfloat16, begin, end };
}

function tensorOf({ dtype, dims, isBfloat16 }: Entry, bytes: Uint8Array): Tensor {
  if (!isBfloat16) return tensor(dtype, dims, viewBytes(dtype, bytes));
  // The upper half of a float32.
  const wide = new Uint8Array(2 * bytes.length);
  for (let i = 0; i < bytes.length; i += 2) wide.set(bytes.subarray(i, i + 2), 2 * i + 2);
  return tensor('float32', dims, viewBytes('float32', wide));
}

/**
 * The bytes of a safetensors file, in pieces to be written one after the other. The widest elements come first, so that all
 * are aligned.
 */
export function safetensorsPieces(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): readonly Uint8Array[] {
  const codes = new Map(
    Object.entries(dtypesByCode).flatMap(([code, dtype]) => (code === 'BF16' ? [] : [[dtype, code] as const])),
  );
  // Widest elements first: each tensor is then aligned to its own elements.
  const sorted = Object.entries(tensors).toSorted(
    ([, a], [, b]) => bytesPerElement(b.dtype) - bytesPerElement(a.dtype),
  );
  const header: [string, unknown][] = Object.keys(metadata).length === 0 ? [] : [['__metadata__', metadata]];
  let filled = 0;
  for (const [name, { dtype, dims, data }] of sorted) {
    const offsets = [filled, (filled += data.byteLength)];
    header.push([name, { dtype: codes.get(dtype), shape: dims, data_offsets: offsets }]);
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const head = new Uint8Array(prefixBytes + Math.ceil(text.length / 8) * 8).fill(0x20);
  new DataView(head.buffer).setBigUint64(0, BigInt(head.length - prefixBytes), true);
  head.set(text, prefixBytes);
  return [head, ...sorted.map(([, { data }]) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength))];
}

/** Names come from the file: what is not printable is escaped, and what is long is cut. */
const quoted = (name: string): string => JSON.stringify(name.length > 120 ? `${name.slice(0, 119)}…` : name);

const reasonsOf = (error: z.ZodError): string =>
  error.issues
    .slice(0, 3)
    .map(({ path, message }) => [...path.map(String), message].join(': '))
    .join('; ');

const listed = (names: readonly string[]): string => {
  const shown = names.slice(0, 8).map(quoted).join(', ');
  return names.length <= 8 ? shown : `${shown} and ${names.length - 8} more`;
};
