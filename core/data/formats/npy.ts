import { grouped, unreadable, unsuitable } from '../errors.ts';
import { subRegion, type Region } from '../files.ts';
import { checkFloats, rawBlock, type ItemShape, type PixelBlock, type PixelKind } from '../pixels.ts';

/** NumPy's .npy format: magic, version, header length, a Python dictionary literal, then the elements. */

export interface NpyArray {
  readonly name: string;
  /** Such as '<f4' or '|u1'. */
  readonly descr: string;
  readonly dims: readonly number[];
  /** The elements alone. */
  readonly data: Region;
}

const maxHeaderBytes = 2 ** 20;
/** NumPy's own limit is 64. */
const maxRank = 64;

/** Reads the header and checks it against the bytes that are there; nothing of the claimed size is allocated. */
export async function parseNpy(content: Region, name: string): Promise<NpyArray> {
  const start = await content.read(0, Math.min(12, content.length));
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (start.length < 10 || magic.some((byte, i) => start[i] !== byte)) {
    throw unreadable(
      `${name} is not a NumPy array: expected it to begin with \\x93NUMPY`,
      'Save the array with numpy.save or numpy.savez.',
    );
  }
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const major = view.getUint8(6);
  if (major < 1 || major > 3 || (major > 1 && start.length < 12)) {
    throw unreadable(
      `${name}: expected version 1, 2 or 3 of the .npy format, got ${major}`,
      'Save the array with a current numpy.',
    );
  }
  const headerStart = major === 1 ? 10 : 12;
  const headerLength = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerLength > maxHeaderBytes || headerStart + headerLength > content.length) {
    throw unreadable(
      `${name} is truncated: expected a header of ${grouped(headerLength)} bytes, got a file of ${grouped(content.length)}`,
      'Save or copy the file again.',
    );
  }
  const header = new TextDecoder('latin1').decode(await content.read(headerStart, headerLength));
  const { descr, fortran, dims } = parseDictionary(header, name);
  const bytes = dims.reduce((a, b) => a * b, elementBytes(descr, name));
  const present = content.length - headerStart - headerLength;
  if (bytes !== present) {
    throw unreadable(
      `${name} does not hold what its header says: expected ${grouped(bytes)} bytes for shape [${dims.join(', ')}] of ${descr}, got ${grouped(present)}`,
      'Save or copy the file again.',
    );
  }
  if (fortran && dims.length > 1)
    throw unsuitable(
      `${name} is stored in Fortran order, expected C order`,
      'Save numpy.ascontiguousarray(array) instead.',
    );
  return { name, descr, dims, data: subRegion(content, headerStart + headerLength, bytes) };
}

function parseDictionary(header: string, name: string): { descr: string; fortran: boolean; dims: number[] } {
  const descr = /'descr'\s*:\s*(?:'(?<simple>[^']*)'|(?<compound>\[))/u.exec(header)?.groups;
  const fortran = /'fortran_order'\s*:\s*(?<flag>True|False)/u.exec(header)?.groups;
  const shape = /'shape'\s*:\s*\((?<list>[\d\s,L]*)\)/u.exec(header)?.groups;
  if (!descr || !fortran || !shape) {
    throw unreadable(
      `${name}: expected a header with descr, fortran_order and shape, got ${JSON.stringify(header.slice(0, 80))}`,
      'Save the array with numpy.save.',
    );
  }
  if (descr['compound'] !== undefined)
    throw unsuitable(
      `${name} holds records, expected a plain array of numbers`,
      'Save images and labels as arrays of their own.',
    );
  const dims = (shape['list'] ?? '')
    .split(',')
    .map((part) => part.replace('L', '').trim())
    .filter((part) => part !== '')
    .map(Number);
  if (dims.length > maxRank) {
    throw unreadable(
      `${name}: expected a shape of at most ${maxRank} sizes, got ${grouped(dims.length)}`,
      'Save the array with numpy.save.',
    );
  }
  if (dims.some((dim) => !Number.isSafeInteger(dim)) || !Number.isSafeInteger(dims.reduce((a, b) => a * b, 8))) {
    throw unreadable(
      `${name}: expected a shape of sensible size, got [${dims.join(', ')}]`,
      'Save the array with numpy.save.',
    );
  }
  return { descr: descr['simple'] ?? '', fortran: fortran['flag'] === 'True', dims };
}

function elementBytes(descr: string, name: string): number {
  if (descr.includes('O')) {
    throw unsuitable(
      `${name} holds Python objects (dtype ${descr}), expected numbers; such a file is a pickle and could run code`,
      'Save it as an array of uint8, float32 or int64.',
    );
  }
  const match = /^(?<order>[<>|=])(?<kind>[biufc])(?<size>1|2|4|8|16)$/u.exec(descr)?.groups;
  if (!match)
    throw unsuitable(
      `${name}: expected an array of numbers, got dtype ${JSON.stringify(descr)}`,
      'Save it as uint8, float32 or int64.',
    );
  if (match['order'] === '>' && match['size'] !== '1')
    throw unsuitable(
      `${name} is big-endian (${descr}), expected little-endian`,
      `Save array.astype('<${descr.slice(1)}') instead.`,
    );
  return Number(match['size']);
}

const pixelKinds: Readonly<Record<string, PixelKind>> = {
  u1: 'uint8',
  b1: 'bool',
  u2: 'uint16',
  f4: 'float32',
  f8: 'float64',
};

/** Images from an array [N, H, W], [N, C, H, W] or [N, H, W, C]; where both could be meant, channels come first. */
export async function npyBlock(array: NpyArray, release: () => Promise<void>): Promise<PixelBlock> {
  const { name, dims } = array;
  const kind = pixelKinds[array.descr.slice(1)];
  if (!kind)
    throw unsuitable(
      `${name}: expected pixels as uint8, bool, uint16, float32 or float64, got dtype ${array.descr}`,
      'Convert the array, for example with images.astype("uint8").',
    );
  if (dims.includes(0))
    throw unreadable(
      `${name} holds no pixels: expected sizes above 0, got [${dims.join(', ')}]`,
      'Save the array again with its images.',
    );
  const { shape, channelsLast } = layoutOf(dims, name);
  const layout = { kind, count: dims[0] ?? 0, shape, channelsLast, skip: 0 };
  await checkFloats(array.data, layout, name);
  return rawBlock(array.data, layout, release);
}

function layoutOf(dims: readonly number[], name: string): { shape: ItemShape; channelsLast: boolean } {
  const [, a = 0, b = 0, c = 0] = dims;
  if (dims.length === 3) return { shape: [1, a, b], channelsLast: false };
  const mostChannels = 4;
  if (dims.length === 4 && a <= mostChannels) return { shape: [a, b, c], channelsLast: false };
  if (dims.length === 4 && c <= mostChannels) return { shape: [c, a, b], channelsLast: true };
  throw unsuitable(
    `${name}: expected images of shape [N, H, W], [N, C, H, W] or [N, H, W, C] with at most ${mostChannels} channels, got [${dims.join(', ')}]`,
    'Reshape the array before saving it.',
  );
}

/** Class numbers from an integer array [N] or [N, 1], or from floating-point numbers without a fraction. */
export async function npyLabels(array: NpyArray): Promise<Int32Array<ArrayBuffer>> {
  const { name, dims, descr } = array;
  if (dims.length === 2 && (dims[1] ?? 0) > 1) {
    throw unsuitable(
      `${name}: expected labels of shape [N], got [${dims.join(', ')}]`,
      'If these are one-hot rows, save labels.argmax(1) instead.',
    );
  }
  if (dims.length !== 1 && dims.length !== 2)
    throw unsuitable(
      `${name}: expected labels of shape [N], got [${dims.join(', ')}]`,
      'Reshape the array before saving it.',
    );
  const bytes = await array.data.read(0, array.data.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const read = labelReaders[descr.slice(1)];
  if (!read)
    throw unsuitable(
      `${name}: expected labels as whole numbers, got dtype ${descr}`,
      'Save labels.astype("int64") instead.',
    );
  return Int32Array.from({ length: dims[0] ?? 0 }, (_, i) => {
    const value = read(view, i);
    if (Number.isInteger(value) && value >= 0 && value < 2 ** 31) return value;
    throw unreadable(
      `${name}: label of item ${grouped(i)} is ${value}, expected a class number from 0`,
      'Number the classes 0, 1, 2 …',
    );
  });
}

const labelReaders: Readonly<Record<string, (view: DataView, i: number) => number>> = {
  u1: (view, i) => view.getUint8(i),
  i1: (view, i) => view.getInt8(i),
  b1: (view, i) => view.getUint8(i),
  u2: (view, i) => view.getUint16(2 * i, true),
  i2: (view, i) => view.getInt16(2 * i, true),
  u4: (view, i) => view.getUint32(4 * i, true),
  i4: (view, i) => view.getInt32(4 * i, true),
  u8: (view, i) => Number(view.getBigUint64(8 * i, true)),
  i8: (view, i) => Number(view.getBigInt64(8 * i, true)),
  f4: (view, i) => view.getFloat32(4 * i, true),
  f8: (view, i) => view.getFloat64(8 * i, true),
};
