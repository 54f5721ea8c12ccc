import { createHash } from 'node:crypto';
import { createReadStream, statSync, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { WorkbenchError, type ErrorCode } from '../base/errors.ts';
import type { DataRef, DeviceName, Environment, ModelRef } from '../contract/run.ts';
import { canonicalJson, sha256Of } from './canonical-json.ts';

/** What a job settles before it starts, so that the history says what was really used. */
export interface JobInputs {
  /** 'auto' → the device to use. @throws DEVICE_UNAVAILABLE for a missing one; never falls back silently. */
  resolveDevice(asked: DeviceName): Promise<Environment['deviceUsed']>;
  /** SHA-256 of the model. @throws MODEL_UNREADABLE */
  hashModel(role: string, ref: ModelRef): Promise<string>;
  /** SHA-256 of each file beside a model file that holds some of its weights; none where the model is one file. */
  hashWeights(path: string): Promise<Readonly<Record<string, string>>>;
  /** The files that are read along with a data file that is named itself, such as those of its labels. */
  filesBeside(ref: DataRef): Promise<readonly string[]>;
  /** SHA-256 over the files of a data set; `beside` are those that are read along with it. @throws DATA_UNREADABLE */
  hashData(role: string, ref: DataRef, beside?: readonly string[]): Promise<string>;
}

/** Hashes of files on disk. A zoo model is named by its architecture; its weights follow from the run's seed. */
export const hashFiles: Pick<JobInputs, 'hashModel' | 'hashData'> = {
  async hashModel(role, ref) {
    if (ref.kind === 'zoo') return sha256Of(canonicalJson(ref));
    const what = `${role} model`;
    if (statOf(ref.path, what, 'MODEL_UNREADABLE').isDirectory()) {
      throw new WorkbenchError('MODEL_UNREADABLE', `The ${what} ${ref.path} is a folder, expected an ONNX file`);
    }
    return hashFile(ref.path, what, 'MODEL_UNREADABLE');
  },
  async hashData(role, ref, beside = []) {
    const what = `${role} data`;
    const isFolder = statOf(ref.path, what, 'DATA_UNREADABLE').isDirectory();
    if (!isFolder && beside.length === 0) return hashFile(ref.path, what, 'DATA_UNREADABLE');
    const files = isFolder ? await filesBelow(ref.path) : [...new Set([ref.path, ...beside])];
    const folder = isFolder ? ref.path : dirname(ref.path);
    const hash = createHash('sha256');
    for (const file of files.toSorted()) {
      const name = relative(folder, file).split(sep).join('/');
      hash.update(`${name}\0${await hashFile(file, what, 'DATA_UNREADABLE')}\n`);
    }
    return hash.digest('hex');
  },
};

/** Ordinary files and links to such: data sets are often made of links. */
async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const isLinkToFile = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  return entries.flatMap((entry) => {
    const path = join(entry.parentPath, entry.name);
    return entry.isFile() || (entry.isSymbolicLink() && isLinkToFile(path)) ? [path] : [];
  });
}

function statOf(path: string, what: string, code: ErrorCode): Stats {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats) return stats;
  throw new WorkbenchError(code, `There is no ${what} at ${path}`, {
    hint: 'Put it back where it was when the run was made, or start a new run.',
  });
}

async function hashFile(path: string, what: string, code: ErrorCode): Promise<string> {
  const hash = createHash('sha256');
  // A pipe would block, and some devices never end.
  if (!statOf(path, what, code).isFile()) {
    throw new WorkbenchError(code, `The ${what} ${path} is a pipe, a socket or a device, expected a file`, {
      hint: 'Copy it to a file.',
    });
  }
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  } catch (thrown) {
    throw new WorkbenchError(code, `Cannot read the ${what} ${path}: ${String(thrown)}`, { cause: thrown });
  }
  return hash.digest('hex');
}
