import { createHash } from 'node:crypto';
import { open, readFile, stat, type FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';
import { WorkbenchError } from '../base/errors.ts';
import { grouped, unreadable, unsuitable } from './errors.ts';

/** Files up to this size are held in memory; larger ones are read from disk item by item. */
export const defaultMemoryLimitBytes = 256 * 2 ** 20;
/** Compressed data may not unpack to more than this. */
const maxExpandedBytes = 2 ** 31 - 1;
/** Deflate cannot pack better than 1032 : 1, so a larger claim is a lie. */
const maxDeflateRatio = 1032;

/** A run of bytes, in memory or on disk. */
export interface Region {
  readonly length: number;
  /** All of it, when it is in memory. */
  readonly bytes: Uint8Array | undefined;
  /** `length` bytes from `start`; rejects with DATA_UNREADABLE when the file has become shorter. */
  read(start: number, length: number): Promise<Uint8Array>;
}

export interface DataFile {
  readonly name: string;
  /** Hex SHA-256 of the file as it lies on disk. */
  readonly sha256: string;
  readonly content: Region;
  close(): Promise<void>;
}

export function memoryRegion(bytes: Uint8Array): Region {
  return { length: bytes.length, bytes, read: async (start, length) => bytes.subarray(start, start + length) };
}

export function subRegion(region: Region, start: number, length: number): Region {
  return {
    length,
    bytes: region.bytes?.subarray(start, start + length),
    read: (from, size) => region.read(start + from, size),
  };
}

/** Opens a regular file; DATA_UNREADABLE when it is missing, a folder, a device or empty. */
export async function openDataFile(path: string, memoryLimitBytes: number): Promise<DataFile> {
  const name = basename(path);
  const handle = await openRegular(path);
  try {
    const { size } = await handle.stat();
    if (size === 0)
      throw unreadable(
        `Data file ${path} is empty: expected images or labels, got 0 bytes`,
        'Copy or download the file again.',
      );
    if (size <= memoryLimitBytes) {
      const bytes = await handle.readFile();
      await handle.close();
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { name, sha256, content: memoryRegion(bytes), close: async () => {} };
    }
    const content = handleRegion(handle, size, path);
    return { name, sha256: await hashRegion(content), content, close: () => handle.close() };
  } catch (error) {
    await handle.close().catch(() => {});
    throw error;
  }
}

async function openRegular(path: string): Promise<FileHandle> {
  try {
    // Looked at before it is opened: opening a pipe would wait for its writer.
    const facts = await stat(path);
    if (facts.isFile()) return await open(path, 'r');
    const got = facts.isDirectory() ? 'a folder' : 'a device or pipe';
    throw unreadable(`Data file ${path}: expected a regular file, got ${got}`, 'Name the file itself.');
  } catch (cause) {
    if (cause instanceof WorkbenchError) throw cause;
    const hint = 'Check the path and its permissions.';
    throw unreadable(`Data file ${path} cannot be opened: ${reasonOf(cause)}`, hint, cause);
  }
}

export const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function handleRegion(handle: FileHandle, size: number, path: string): Region {
  const read = async (start: number, length: number): Promise<Uint8Array> => {
    const target = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const { bytesRead } = await handle.read(target, done, length - done, start + done);
      if (bytesRead === 0) {
        throw unreadable(
          `Data file ${path} became shorter while it was read: expected ${grouped(size)} bytes, got ${grouped(start + done)}`,
          'Leave data files unchanged while a run uses them.',
        );
      }
      done += bytesRead;
    }
    return target;
  };
  return { length: size, bytes: undefined, read };
}

async function hashRegion(region: Region): Promise<string> {
  const hash = createHash('sha256');
  const step = 4 * 2 ** 20;
  for (let start = 0; start < region.length; start += step) {
    hash.update(await region.read(start, Math.min(step, region.length - start)));
  }
  return hash.digest('hex');
}

/** Refuses a claimed unpacked size before anything of that size is allocated. */
export function checkExpandedSize(what: string, claimedBytes: number, packedBytes: number): void {
  if (claimedBytes > (packedBytes + 64) * maxDeflateRatio) {
    throw unreadable(
      `${what} claims to unpack to ${grouped(claimedBytes)} bytes, expected at most ${grouped((packedBytes + 64) * maxDeflateRatio)} from ${grouped(packedBytes)} packed bytes`,
      'The file is damaged or was made to deceive. Get it again from its source.',
    );
  }
  if (claimedBytes > maxExpandedBytes) {
    throw unsuitable(
      `${what} unpacks to ${grouped(claimedBytes)} bytes, expected at most ${grouped(maxExpandedBytes)}`,
      'Unpack it first; uncompressed files are read from disk as they are needed.',
    );
  }
}

export const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;

/**
 * Opens a file that may be gzipped. `measure` looks at the first unpacked bytes and says how long the whole must be;
 * the promise is checked before unpacking and again after it.
 */
export async function openMeasuredFile(
  path: string,
  memoryLimitBytes: number,
  measure: (head: Uint8Array, name: string) => number,
): Promise<DataFile> {
  const file = await openDataFile(path, memoryLimitBytes);
  try {
    const head = await file.content.read(0, Math.min(4096, file.content.length));
    if (!isGzip(head)) {
      checkLength(file.name, measure(head, file.name), file.content.length);
      return file;
    }
    if (!file.content.bytes) {
      throw unsuitable(
        `${file.name} is gzipped and larger than ${grouped(memoryLimitBytes)} bytes, expected less`,
        'Unpack it first; uncompressed files are read from disk as they are needed.',
      );
    }
    const expected = measure(unpackHead(file.name, head), file.name);
    checkExpandedSize(file.name, expected, file.content.length);
    const bytes = await unpack(file.name, file.content.bytes, expected);
    return { name: file.name, sha256: file.sha256, content: memoryRegion(bytes), close: file.close };
  } catch (error) {
    await file.close();
    throw error;
  }
}

function checkLength(name: string, expected: number, got: number): void {
  if (expected === got) return;
  throw unreadable(
    `${name} ${got < expected ? 'is truncated' : 'is longer than its header says'}: expected ${grouped(expected)} bytes from its header, got ${grouped(got)}`,
    'Download or copy the file again.',
  );
}

function unpackHead(name: string, head: Uint8Array): Uint8Array {
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch (cause) {
    throw unreadable(`${name} is not a sound gzip file: ${reasonOf(cause)}`, 'Download or copy the file again.', cause);
  }
}

async function unpack(name: string, packed: Uint8Array, expected: number): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await promisify(gunzip)(packed, { maxOutputLength: expected + 1 });
  } catch (cause) {
    const tooLong = cause instanceof RangeError;
    throw unreadable(
      tooLong
        ? `${name} is longer than its header says: expected ${grouped(expected)} bytes`
        : `${name} is not a sound gzip file: ${reasonOf(cause)}`,
      'Download or copy the file again.',
      cause,
    );
  }
  checkLength(name, expected, bytes.length);
  return bytes;
}

/** A text file with one name a line, or undefined when there is none. At most 4 MiB. */
export async function readNames(path: string): Promise<readonly string[] | undefined> {
  const facts = await stat(path).catch(() => undefined);
  if (!facts) return undefined;
  const { bytes } = await readSmallFile(path, 4 * 2 ** 20);
  const lines = new TextDecoder()
    .decode(bytes)
    .split(/\r?\n/u)
    .map((line) => line.trim());
  while (lines.at(-1) === '') lines.pop();
  return lines.length === 0 ? undefined : lines;
}

/** Reads a whole file of at most `limitBytes`, with its digest. */
export async function readSmallFile(path: string, limitBytes: number): Promise<{ bytes: Uint8Array; sha256: string }> {
  const handle = await openRegular(path);
  try {
    const { size } = await handle.stat();
    if (size > limitBytes) {
      throw unreadable(
        `${path} has ${grouped(size)} bytes, expected at most ${grouped(limitBytes)}`,
        'Make the file smaller.',
      );
    }
    const bytes = await readFile(handle);
    return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') };
  } finally {
    await handle.close();
  }
}
