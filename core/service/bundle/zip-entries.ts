import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { WorkbenchError } from '../../base/errors.ts';

/** A zip file of a stranger: nothing is unpacked to disk, nothing grows beyond what its directory claims. */
export interface ZipFile {
  /** In the order of the directory. */
  readonly entries: readonly ZipEntry[];
  readonly sizeBytes: number;
  /** The content of an entry. @throws BUNDLE_UNREADABLE naming it when it is not what the directory says */
  read(entry: ZipEntry): Uint8Array;
  /** The same in pieces, so that what is stored as it is needs no memory. */
  pieces(entry: ZipEntry): Iterable<Uint8Array>;
  close(): void;
}

export interface ZipEntry {
  readonly name: string;
  /** Unpacked, as claimed. */
  readonly sizeBytes: number;
  readonly packedBytes: number;
  /** 0 stored, 8 deflated. */
  readonly method: 0 | 8;
  readonly headerOffset: number;
}

const largestEntries = 100_000;
const largestDirectoryBytes = 32 * 2 ** 20;
const signatures = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
} as const;
const endBytes = 22;
const end64Bytes = 56;
const locatorBytes = 20;
/** What stands in 32 bits, and in 16, where the number itself needs 64 and stands elsewhere (APPNOTE 4.5.3, 4.3.14). */
const elsewhere = { in32: 0xffff_ffff, in16: 0xffff } as const;
const pieceBytes = 2 ** 20;
const longestComment = 0xffff;

/** Opens a zip file and reads its directory. @throws BUNDLE_UNREADABLE */
export function openZip(path: string): ZipFile {
  let handle: number;
  try {
    handle = openSync(path, 'r');
  } catch (thrown) {
    throw unreadable(`Cannot open ${path}`, thrown);
  }
  try {
    const { size } = fstatSync(handle);
    const entries = readDirectory(handle, size);
    return {
      entries,
      sizeBytes: size,
      read: (entry) => readEntry(handle, size, entry),
      pieces: (entry) => entryPieces(handle, size, entry),
      close: () => closeSync(handle),
    };
  } catch (thrown) {
    closeSync(handle);
    throw thrown;
  }
}

function readDirectory(handle: number, size: number): readonly ZipEntry[] {
  const tailAt = Math.max(0, size - endBytes - longestComment);
  const tail = readAt(handle, tailAt, Math.min(size, endBytes + longestComment));
  const at = tail.lastIndexOf(Buffer.of(0x50, 0x4b, 0x05, 0x06));
  if (at === -1 || tail.length - at < endBytes || tail.readUInt32LE(at) !== signatures.end) {
    throw unreadable('It is no zip file, or its end is missing');
  }
  const short = {
    count: tail.readUInt16LE(at + 10),
    length: tail.readUInt32LE(at + 12),
    offset: tail.readUInt32LE(at + 16),
  };
  const isOneDisk = tail.readUInt16LE(at + 4) === 0 && tail.readUInt16LE(at + 8) === short.count;
  const isLarge = short.count === elsewhere.in16 || short.length === elsewhere.in32 || short.offset === elsewhere.in32;
  const { count, length, offset } = isLarge ? readLargeEnd(handle, tailAt + at) : short;
  if (!isOneDisk || length > largestDirectoryBytes || offset + length > size || count > largestEntries) {
    throw unreadable('Its directory does not fit the file');
  }
  const directory = readAt(handle, offset, length);
  const entries: ZipEntry[] = [];
  let next = 0;
  for (let i = 0; i < count; i++) {
    const { entry, end } = readCentralHeader(directory, next);
    entries.push(entry);
    next = end;
  }
  return entries;
}

/** The end of a directory whose numbers need 64 bits; `endAt` is where that of every zip file stands. */
function readLargeEnd(handle: number, endAt: number) {
  const locator = readAt(handle, Math.max(0, endAt - locatorBytes), locatorBytes);
  if (locator.readUInt32LE(0) !== signatures.locator64) throw unreadable('Its directory does not fit the file');
  const end = readAt(handle, Math.min(numberAt(locator, 8), endAt), end64Bytes);
  if (end.length < end64Bytes || end.readUInt32LE(0) !== signatures.end64) {
    throw unreadable('Its directory does not fit the file');
  }
  return { count: numberAt(end, 32), length: numberAt(end, 40), offset: numberAt(end, 48) };
}

const numberAt = (bytes: Buffer, at: number): number => Number(bytes.readBigUInt64LE(at));

function readCentralHeader(directory: Buffer, at: number): { readonly entry: ZipEntry; readonly end: number } {
  if (at + 46 > directory.length || directory.readUInt32LE(at) !== signatures.central) {
    throw unreadable('Its directory is damaged');
  }
  const nameLength = directory.readUInt16LE(at + 28);
  const end = at + 46 + nameLength + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  if (end > directory.length) throw unreadable('Its directory is damaged');
  const name = directory.toString('utf8', at + 46, at + 46 + nameLength);
  const isEncrypted = (directory.readUInt16LE(at + 8) & 1) === 1;
  const method = directory.readUInt16LE(at + 10);
  if (isEncrypted || (method !== 0 && method !== 8)) {
    throw unreadable(`${quoted(name)} is encrypted or packed in a way that bundles do not use`);
  }
  const extra = directory.subarray(at + 46 + nameLength, at + 46 + nameLength + directory.readUInt16LE(at + 30));
  const [sizeBytes = 0, packedBytes = 0, headerOffset = 0] = largeNumbers(
    [24, 20, 42].map((place) => directory.readUInt32LE(at + place)),
    extra,
  );
  return { entry: { name, method, packedBytes, sizeBytes, headerOffset }, end };
}

/** Those that do not fit into 32 bits stand in the extra field 1, in this order. */
function largeNumbers(short: readonly number[], extra: Buffer): readonly number[] {
  const field = extraField(extra, 1);
  let next = 0;
  return short.map((value) => {
    if (value !== elsewhere.in32) return value;
    if (field === undefined || next + 8 > field.length) throw unreadable('Its directory is damaged');
    next += 8;
    return numberAt(field, next - 8);
  });
}

function extraField(extra: Buffer, wanted: number): Buffer | undefined {
  for (let at = 0; at + 4 <= extra.length;) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === wanted) return extra.subarray(at + 4, end);
    at = end;
  }
  return undefined;
}

function readEntry(handle: number, size: number, entry: ZipEntry): Buffer {
  const { name, method, packedBytes, sizeBytes } = entry;
  const packed = readAt(handle, startOf(handle, size, entry), packedBytes);
  const bytes = method === 0 ? packed : inflate(name, packed, sizeBytes);
  if (bytes.length === sizeBytes) return bytes;
  throw unreadable(`${quoted(name)}: expected ${sizeBytes} bytes, got ${bytes.length}`);
}

function* entryPieces(handle: number, size: number, entry: ZipEntry): Generator<Uint8Array> {
  const { name, method, packedBytes, sizeBytes } = entry;
  if (method !== 0 || packedBytes !== sizeBytes) return yield readEntry(handle, size, entry);
  const start = startOf(handle, size, entry);
  for (let done = 0; done < sizeBytes; done += pieceBytes) {
    const expected = Math.min(pieceBytes, sizeBytes - done);
    const piece = readAt(handle, start + done, expected);
    if (piece.length < expected) throw unreadable(`${quoted(name)} is cut off`);
    yield piece;
  }
}

/** Where the bytes of an entry begin. */
function startOf(handle: number, size: number, { name, headerOffset, packedBytes }: ZipEntry): number {
  const header = readAt(handle, headerOffset, Math.min(30, Math.max(0, size - headerOffset)));
  if (header.length < 30 || header.readUInt32LE(0) !== signatures.local) throw unreadable(`${quoted(name)} is damaged`);
  const start = headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (start + packedBytes > size) throw unreadable(`${quoted(name)} is cut off`);
  return start;
}

/** Stops at the size that the directory claims: a bomb goes no further. */
function inflate(name: string, packed: Buffer, sizeBytes: number): Buffer {
  if (sizeBytes === 0) return Buffer.alloc(0);
  try {
    return inflateRawSync(packed, { maxOutputLength: sizeBytes });
  } catch (thrown) {
    throw unreadable(`${quoted(name)} is damaged, or larger than it claims (${sizeBytes} bytes)`, thrown);
  }
}

function readAt(handle: number, offset: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let done = 0;
  while (done < length) {
    const read = readSync(handle, bytes, done, length - done, offset + done);
    if (read === 0) return bytes.subarray(0, done);
    done += read;
  }
  return bytes;
}

/** Names in messages cannot move a terminal's cursor. */
export const quoted = (name: string): string => JSON.stringify(name.slice(0, 200));

export function unreadable(message: string, cause?: unknown): WorkbenchError {
  return new WorkbenchError('BUNDLE_UNREADABLE', `The bundle cannot be taken: ${message}`, {
    hint: 'Copy it again from where it was made, or export it anew.',
    ...(cause === undefined ? {} : { cause }),
  });
}
