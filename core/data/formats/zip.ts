import { promisify } from 'node:util';
import { crc32, inflateRaw } from 'node:zlib';
import { grouped, unreadable, unsuitable } from '../errors.ts';
import { checkExpandedSize, memoryRegion, reasonOf, subRegion, type Region } from '../files.ts';

/** The directory of a ZIP archive (PKWARE's APPNOTE), read without unpacking anything. */
export interface ZipEntry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedBytes: number;
  readonly bytes: number;
  readonly headerOffset: number;
}

const maxEntries = 10_000;
const broken = 'Save or copy the archive again.';

export async function readZipDirectory(content: Region, name: string): Promise<readonly ZipEntry[]> {
  const tailLength = Math.min(content.length, 22 + 0xffff);
  const tail = await content.read(content.length - tailLength, tailLength);
  const view = viewOf(tail);
  let end = tailLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0)
    throw unreadable(
      `${name} is not a ZIP archive, or it is truncated: expected a directory at its end, got none`,
      broken,
    );
  const count = view.getUint16(end + 10, true);
  const size = view.getUint32(end + 12, true);
  const offset = view.getUint32(end + 16, true);
  if (offset === 0xffffffff)
    throw unsuitable(
      `${name} is a ZIP64 archive above 4 GiB, expected less`,
      'Save the arrays as separate .npy files in one folder.',
    );
  if (count > maxEntries)
    throw unreadable(`${name} lists ${grouped(count)} files, expected at most ${grouped(maxEntries)}`, broken);
  if (offset + size > content.length)
    throw unreadable(
      `${name} is truncated: expected its directory at byte ${grouped(offset)}, got a file of ${grouped(content.length)} bytes`,
      broken,
    );
  const directory = await content.read(offset, size);
  return parseEntries(directory, count, name);
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function parseEntries(directory: Uint8Array, count: number, archive: string): ZipEntry[] {
  const view = viewOf(directory);
  const entries: ZipEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.length || view.getUint32(at, true) !== 0x02014b50)
      throw unreadable(`${archive}: entry ${i} of its directory is damaged, expected ${count} entries`, broken);
    const [nameLength, extraLength, commentLength] = [
      view.getUint16(at + 28, true),
      view.getUint16(at + 30, true),
      view.getUint16(at + 32, true),
    ];
    const next = at + 46 + nameLength + extraLength + commentLength;
    if (next > directory.length) throw unreadable(`${archive}: entry ${i} of its directory runs past its end`, broken);
    const name = new TextDecoder().decode(directory.subarray(at + 46, at + 46 + nameLength));
    if ((view.getUint16(at + 8, true) & 1) !== 0)
      throw unsuitable(`${archive}: "${name}" is encrypted, expected a plain archive`, 'Save it without a password.');
    const wide = wideSizes(directory.subarray(at + 46 + nameLength, at + 46 + nameLength + extraLength));
    const fields = [24, 20, 42].map((field) => view.getUint32(at + field, true));
    const [bytes = 0, packedBytes = 0, headerOffset = 0] = fields.map((value) =>
      value === 0xffffffff ? (wide.shift() ?? value) : value,
    );
    entries.push({
      name,
      method: view.getUint16(at + 10, true),
      crc: view.getUint32(at + 16, true),
      packedBytes,
      bytes,
      headerOffset,
    });
    at = next;
  }
  return entries;
}

/** The 64-bit numbers of extra field 1, in order: size, packed size, offset, each only where its 32-bit field is full. */
function wideSizes(extra: Uint8Array): number[] {
  const view = viewOf(extra);
  for (let at = 0; at + 4 <= extra.length;) {
    const length = view.getUint16(at + 2, true);
    if (view.getUint16(at, true) === 1 && at + 4 + length <= extra.length) {
      return Array.from({ length: Math.floor(length / 8) }, (_, i) => Number(view.getBigUint64(at + 4 + 8 * i, true)));
    }
    at += 4 + length;
  }
  return [];
}

/** The unpacked bytes of an entry. A stored entry stays where it is; a packed one is checked before it is unpacked. */
export async function openZipEntry(content: Region, entry: ZipEntry, archive: string): Promise<Region> {
  const what = `${archive}: "${entry.name}"`;
  const outside = unreadable(
    `${what} lies outside the archive: expected ${grouped(entry.packedBytes)} bytes at ${grouped(entry.headerOffset)}, got a file of ${grouped(content.length)}`,
    broken,
  );
  if (entry.headerOffset + 30 > content.length) throw outside;
  const local = viewOf(await content.read(entry.headerOffset, 30));
  if (local.getUint32(0, true) !== 0x04034b50)
    throw unreadable(`${what} has no header of its own where the directory says`, broken);
  const start = entry.headerOffset + 30 + local.getUint16(26, true) + local.getUint16(28, true);
  if (start + entry.packedBytes > content.length) throw outside;
  const packed = subRegion(content, start, entry.packedBytes);
  if (entry.method === 0) {
    if (entry.bytes !== entry.packedBytes)
      throw unreadable(
        `${what} is stored: expected ${grouped(entry.packedBytes)} bytes, got a claim of ${grouped(entry.bytes)}`,
        broken,
      );
    if (packed.bytes) checkCrc(packed.bytes, entry, what);
    return packed;
  }
  if (entry.method !== 8)
    throw unsuitable(
      `${what} is packed by method ${entry.method}, expected stored or deflated`,
      'Save it with numpy.savez or numpy.savez_compressed.',
    );
  checkExpandedSize(what, entry.bytes, entry.packedBytes);
  const bytes = await inflate(await packed.read(0, packed.length), entry.bytes, what);
  checkCrc(bytes, entry, what);
  return memoryRegion(bytes);
}

async function inflate(packed: Uint8Array, expected: number, what: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await promisify(inflateRaw)(packed, { maxOutputLength: Math.max(1, expected) });
  } catch (cause) {
    const tooLong = cause instanceof RangeError;
    throw unreadable(
      tooLong
        ? `${what} unpacks to more than it claims: expected ${grouped(expected)} bytes`
        : `${what} is damaged: ${reasonOf(cause)}`,
      broken,
      cause,
    );
  }
  if (bytes.length !== expected)
    throw unreadable(`${what} unpacks to ${grouped(bytes.length)} bytes, expected ${grouped(expected)}`, broken);
  return bytes;
}

function checkCrc(bytes: Uint8Array, entry: ZipEntry, what: string): void {
  if (crc32(bytes) !== entry.crc) throw unreadable(`${what} is damaged: its checksum does not match`, broken);
}
