import * as nodeFs from 'node:fs';
import { dirname } from 'node:path';
import { WorkbenchError } from '../base/errors.ts';

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
    throw fileError(thrown, path);
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

const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const unwritableCodes = new Set(['EACCES', 'EPERM', 'EROFS', 'EIO', 'ENOTDIR', 'EEXIST', 'ENOENT']);

function fileError(thrown: unknown, path: string): unknown {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (fullCodes.has(code)) {
    return new WorkbenchError('WORKSPACE_UNUSABLE', `Cannot write ${path}: the disk is full`, {
      hint: 'Free some space, then resume the run.',
      cause: thrown,
    });
  }
  if (!unwritableCodes.has(code)) return thrown;
  return new WorkbenchError('WORKSPACE_UNUSABLE', `Cannot write ${path}: ${code}`, {
    hint: 'Check the permissions of the workspace and its disk, then resume the run.',
    cause: thrown,
  });
}
