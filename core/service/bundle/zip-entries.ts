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
const signatures = { local: 0x04034b50, central: 0x02014b50, end: 0x06054b50 } as const;
const endBytes = 22;
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
      close: () => closeSync(handle),
    };
  } catch (thrown) {
    closeSync(handle);
    throw thrown;
  }
}

function readDirectory(handle: number, size: number): readonly ZipEntry[] {
  const tail = readAt(handle, Math.max(0, size - endBytes - longestComment), Math.min(size, endBytes + longestComment));
  const at = tail.lastIndexOf(Buffer.of(0x50, 0x4b, 0x05, 0x06));
  if (at === -1 || tail.length - at < endBytes || tail.readUInt32LE(at) !== signatures.end) {
    throw unreadable('It is no zip file, or its end is missing');
  }
  const count = tail.readUInt16LE(at + 10);
  const length = tail.readUInt32LE(at + 12);
  const offset = tail.readUInt32LE(at + 16);
  const isOneDisk = tail.readUInt16LE(at + 4) === 0 && tail.readUInt16LE(at + 8) === count;
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
  const entry: ZipEntry = {
    name,
    method,
    packedBytes: directory.readUInt32LE(at + 20),
    sizeBytes: directory.readUInt32LE(at + 24),
    headerOffset: directory.readUInt32LE(at + 42),
  };
  return { entry, end };
}

function readEntry(handle: number, size: number, { name, method, headerOffset, packedBytes, sizeBytes }: ZipEntry) {
  const header = readAt(handle, headerOffset, Math.min(30, Math.max(0, size - headerOffset)));
  if (header.length < 30 || header.readUInt32LE(0) !== signatures.local) throw unreadable(`${quoted(name)} is damaged`);
  const start = headerOffset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  if (start + packedBytes > size) throw unreadable(`${quoted(name)} is cut off`);
  const packed = readAt(handle, start, packedBytes);
  const bytes = method === 0 ? packed : inflate(name, packed, sizeBytes);
  if (bytes.length === sizeBytes) return bytes;
  throw unreadable(`${quoted(name)}: expected ${sizeBytes} bytes, got ${bytes.length}`);
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
