import { createHash } from 'node:crypto';
import { createReadStream, statSync, type Stats } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
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
  /** SHA-256 over the files of a data set. @throws DATA_UNREADABLE */
  hashData(role: string, ref: DataRef): Promise<string>;
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
  async hashData(role, ref) {
    const what = `${role} data`;
    if (!statOf(ref.path, what, 'DATA_UNREADABLE').isDirectory()) return hashFile(ref.path, what, 'DATA_UNREADABLE');
    const hash = createHash('sha256');
    const entries = await readdir(ref.path, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
    for (const file of files.sort()) {
      const name = relative(ref.path, file).split(sep).join('/');
      hash.update(`${name}\0${await hashFile(file, what, 'DATA_UNREADABLE')}\n`);
    }
    return hash.digest('hex');
  },
};

function statOf(path: string, what: string, code: ErrorCode): Stats {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats) return stats;
  throw new WorkbenchError(code, `There is no ${what} at ${path}`, {
    hint: 'Put it back where it was when the run was made, or start a new run.',
  });
}

async function hashFile(path: string, what: string, code: ErrorCode): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  } catch (thrown) {
    throw new WorkbenchError(code, `Cannot read the ${what} ${path}: ${String(thrown)}`, { cause: thrown });
  }
  return hash.digest('hex');
}
