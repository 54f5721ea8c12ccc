import { createHash } from 'node:crypto';
import * as nodeFs from 'node:fs';
import { dirname } from 'node:path';
import { writeError } from '../base/write-error.ts';

/** What is needed of the file system; tests put in one that runs full. */
export interface FileSystem extends Pick<
  typeof nodeFs,
  'openSync' | 'fsyncSync' | 'closeSync' | 'renameSync' | 'mkdirSync'
> {
  /** Writes what it can of `bytes` from `offset` on and gives how much that was. */
  writeSync(handle: number, bytes: Uint8Array, offset: number): number;
}

/**
 * Writes a file so that after any kill or power cut it is there whole or not at all: temporary name, fsync, rename,
 * fsync of the folder. @throws WORKSPACE_UNUSABLE when the disk is full or cannot be written; nothing is left behind.
 */
export function writeDurably(path: string, pieces: Iterable<Uint8Array>, fs: FileSystem = nodeFs): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    fs.mkdirSync(dirname(path), { recursive: true });
    writeSynced(temporary, pieces, fs);
    fs.renameSync(temporary, path);
    syncFolder(dirname(path), fs);
  } catch (thrown) {
    discard(temporary);
    throw writeError(thrown, path);
  }
}

/** Gives a finished file another name on the same disk, so that after any power cut it is there whole under one of them. */
export function moveDurably(from: string, to: string, fs: FileSystem = nodeFs): void {
  try {
    fs.mkdirSync(dirname(to), { recursive: true });
    const handle = fs.openSync(from, 'r+');
    try {
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
    fs.renameSync(from, to);
    syncFolder(dirname(to), fs);
  } catch (thrown) {
    throw writeError(thrown, to);
  }
}

/** Hex, read piece by piece. */
export function sha256OfFile(path: string): { readonly sha256: string; readonly sizeBytes: number } {
  const hash = createHash('sha256');
  const piece = new Uint8Array(2 ** 20);
  const handle = nodeFs.openSync(path, 'r');
  try {
    for (let sizeBytes = 0; ;) {
      const read = nodeFs.readSync(handle, piece);
      if (read === 0) return { sha256: hash.digest('hex'), sizeBytes };
      hash.update(piece.subarray(0, read));
      sizeBytes += read;
    }
  } finally {
    nodeFs.closeSync(handle);
  }
}

/** Removes what a failed write left. That it cannot be removed either is no news beside the failure itself. */
export function discard(path: string): void {
  try {
    nodeFs.rmSync(path, { force: true });
  } catch {
    return;
  }
}

function writeSynced(path: string, pieces: Iterable<Uint8Array>, fs: FileSystem): void {
  const handle = fs.openSync(path, 'w');
  try {
    for (const piece of pieces) {
      for (let done = 0; done < piece.byteLength;) done += fs.writeSync(handle, piece, done);
    }
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}

/** Makes the rename durable. Windows cannot open folders and does this by itself. */
function syncFolder(path: string, fs: FileSystem): void {
  if (process.platform === 'win32') return;
  const handle = fs.openSync(path, 'r');
  try {
    fs.fsyncSync(handle);
  } finally {
    fs.closeSync(handle);
  }
}
