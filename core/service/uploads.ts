import { createHash, randomBytes, type Hash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { WorkbenchError } from '../base/errors.ts';
import type { ParsedParams, RequestResult, UploadKind } from '../contract/bridge.ts';

/** Most that a window may send as one model or data set. */
const largestBytes = 16 * 2 ** 30;
export const chunkBytes = 4 * 2 ** 20;
const openAtOnce = 8;
/** A window that was closed or reloaded says nothing more; its upload is given up when nothing came for so long. */
const idleMs = 10 * 60_000;

interface OpenFile {
  readonly path: string;
  readonly sizeBytes: number;
  receivedBytes: number;
  readonly hash: Hash;
}

interface Upload {
  readonly kind: UploadKind;
  readonly folder: string;
  readonly files: readonly OpenFile[];
  lastAtMs: number;
}

/** Files that windows send, kept under `uploads/KIND/HASH` of the workspace. */
export interface Uploads {
  begin(asked: ParsedParams<'uploads.begin'>): RequestResult<'uploads.begin'>;
  /** Adds bytes where the file ends so far and gives how much of it is there. */
  append(uploadId: string, file: number, offset: number, bytes: Uint8Array): number;
  finish(uploadId: string): RequestResult<'uploads.finish'> & { readonly kind: Upload['kind'] };
  abort(uploadId: string): void;
  /** Removes what an upload left, when `path` is its result and it has served its purpose. */
  discard(path: string): void;
}

/** `now`: milliseconds, of any beginning. */
export function openUploads(workspaceDir: string, now: () => number): Uploads {
  const root = join(workspaceDir, 'uploads');
  const partial = join(root, 'partial');
  const uploads = new Map<string, Upload>();
  // Left by a window or a host that went away; we are the only writer.
  rmSync(partial, { recursive: true, force: true });

  const find = (uploadId: string): Upload => {
    const upload = uploads.get(uploadId);
    if (upload) return upload;
    throw new WorkbenchError('USAGE', 'There is no such upload: it has ended, stood still, or the host was restarted', {
      hint: 'Drop the files again.',
    });
  };
  const forget = (uploadId: string): void => {
    const upload = uploads.get(uploadId);
    uploads.delete(uploadId);
    if (upload) rmSync(upload.folder, { recursive: true, force: true });
  };

  return {
    begin({ kind, files }) {
      checkFiles(files);
      // Said before gigabytes are sent.
      if (kind === 'model' && files.length > 1) modelAmong(files);
      const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      for (const [uploadId, { lastAtMs }] of uploads) if (now() - lastAtMs > idleMs) forget(uploadId);
      checkSpace(workspaceDir, totalBytes);
      if (uploads.size >= openAtOnce) {
        throw new WorkbenchError('RUN_STATE', `${openAtOnce} uploads are under way already`, {
          hint: 'Wait until one has ended.',
        });
      }
      const uploadId = randomBytes(12).toString('hex');
      const folder = join(partial, uploadId);
      const opened = files.map(({ path, sizeBytes }): OpenFile => {
        const target = join(folder, ...path.split('/'));
        mkdirSync(dirname(target), { recursive: true });
        closeSync(openSync(target, 'wx', 0o600));
        return { path, sizeBytes, receivedBytes: 0, hash: createHash('sha256') };
      });
      uploads.set(uploadId, { kind, folder, files: opened, lastAtMs: now() });
      return { uploadId, chunkBytes };
    },
    append(uploadId, index, offset, bytes) {
      const upload = find(uploadId);
      const { folder, files } = upload;
      const file = files[index];
      const isNext = file && offset === file.receivedBytes && offset + bytes.byteLength <= file.sizeBytes;
      if (!file || !isNext) {
        throw new WorkbenchError(
          'USAGE',
          `Upload of file ${index}: expected bytes from ${file?.receivedBytes ?? 0} to at most ${file?.sizeBytes ?? 0}, got ${bytes.byteLength} from ${offset}`,
        );
      }
      upload.lastAtMs = now();
      const handle = openSync(join(folder, ...file.path.split('/')), 'r+');
      try {
        for (let done = 0; done < bytes.byteLength;) {
          done += writeSync(handle, bytes, done, bytes.byteLength - done, offset + done);
        }
        file.receivedBytes += bytes.byteLength;
        if (file.receivedBytes === file.sizeBytes) fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      file.hash.update(bytes);
      return file.receivedBytes;
    },
    finish(uploadId) {
      const { kind, folder, files } = find(uploadId);
      const missing = files.find((file) => file.receivedBytes !== file.sizeBytes);
      if (missing) {
        throw new WorkbenchError(
          'USAGE',
          `Upload of ${missing.path}: expected ${missing.sizeBytes} bytes, got ${missing.receivedBytes}`,
        );
      }
      const sha256 = digestOf(files);
      const target = join(root, kind, sha256.slice(0, 32));
      const isDuplicate = existsSync(target);
      if (!isDuplicate) {
        mkdirSync(dirname(target), { recursive: true });
        renameSync(folder, target);
      }
      forget(uploadId);
      const only = files.length === 1 ? files[0] : kind === 'model' ? modelAmong(files) : undefined;
      return {
        kind,
        path: only ? join(target, ...only.path.split('/')) : target,
        sha256,
        isDuplicate,
      };
    },
    abort: forget,
    discard(path) {
      if (dirname(dirname(path)) === join(root, 'bundle')) rmSync(dirname(path), { recursive: true, force: true });
    },
  };
}

const isModel = ({ path }: { readonly path: string }): boolean => path.toLowerCase().endsWith('.onnx');

/** Beside a model may lie its weights and settings. @throws USAGE when it is not clear which is the model */
function modelAmong<T extends { readonly path: string }>(files: readonly T[]): T {
  const [first, ...others] = files.filter(isModel);
  if (first && others.length === 0) return first;
  throw new WorkbenchError(
    'USAGE',
    `Expected one .onnx file, beside it its weights and settings, got ${first ? others.length + 1 : 'none'} among ${files.length} files`,
    { hint: 'Drop one model at a time, with its .data file and config.json if it has them.' },
  );
}

/** The hash of the file, or of all names and contents. Names count in the folder, so that two names are two uploads. */
function digestOf(files: readonly OpenFile[]): string {
  const lines = files.map((file) => `${file.path}\0${file.hash.digest('hex')}\n`);
  return createHash('sha256').update(lines.toSorted().join('')).digest('hex');
}

function checkFiles(files: readonly { readonly path: string; readonly sizeBytes: number }[]): void {
  const taken = new Set<string>();
  for (const { path } of files) {
    const parts = path.split('/');
    const isSafe =
      parts.length <= 16 &&
      parts.every(
        (part) =>
          part !== '' &&
          part.length <= 200 &&
          !part.startsWith('.') &&
          !/[. ]$/.test(part) &&
          !/[\\:*?"<>|\p{Cc}]/u.test(part) &&
          !/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(part),
      );
    if (!isSafe) {
      throw new WorkbenchError(
        'USAGE',
        `A file named ${JSON.stringify(path)} cannot be taken: its name leaves the folder or no system can keep it`,
        {
          hint: 'Rename it, or leave hidden files out.',
        },
      );
    }
    // Case does not tell files apart on every system.
    const key = path.toLowerCase();
    if (taken.has(key)) throw new WorkbenchError('USAGE', `Two files are named ${path}`);
    taken.add(key);
  }
}

function checkSpace(workspaceDir: string, totalBytes: number): void {
  const disk = statfsSync(workspaceDir);
  const room = Math.min(largestBytes, disk.bavail * disk.bsize * 0.9);
  if (totalBytes <= room) return;
  throw new WorkbenchError(
    'WORKSPACE_UNUSABLE',
    `The files have ${totalBytes} bytes together, expected at most ${Math.floor(room)}`,
    { hint: 'Put them on the machine by other means and name their path, or free some space.' },
  );
}
