import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { z } from 'zod';
import { WorkbenchError } from '../base/errors.ts';
import { lockFolder } from '../contract/layout.ts';
import { makeFolder } from './database.ts';
import { identify } from './processes.ts';

export interface WriterLock {
  release(): void;
}

const Holder = z.object({ pid: z.int(), host: z.string() });

/**
 * The right to write into a workspace. The lock itself is the operating system's lock on `locks/writer.lock` (taken
 * through SQLite), so it ends with its process however that ends, and a reused process number cannot keep it alive;
 * `locks/writer.json` only says who holds it.
 * @throws WORKSPACE_BUSY naming the holder, after `waitMs`.
 */
export function acquireWriterLock(dir: string, waitMs: number): WriterLock {
  const folder = join(dir, lockFolder);
  makeFolder(folder);
  const db = new Database(join(folder, 'writer.lock'), { timeout: waitMs });
  try {
    db.exec('BEGIN EXCLUSIVE');
  } catch (thrown) {
    db.close();
    if (thrown instanceof Database.SqliteError && thrown.code.startsWith('SQLITE_BUSY')) throw busy(dir, folder);
    throw thrown;
  }
  try {
    const temporary = join(folder, 'writer.json.tmp');
    writeFileSync(temporary, JSON.stringify(identify(process.pid)));
    renameSync(temporary, join(folder, 'writer.json'));
  } catch (thrown) {
    db.close();
    throw thrown;
  }
  return {
    release() {
      rmSync(join(folder, 'writer.json'), { force: true });
      db.close();
    },
  };
}

function busy(dir: string, folder: string): WorkbenchError {
  const holder = readHolder(join(folder, 'writer.json'));
  const who = holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
  return new WorkbenchError('WORKSPACE_BUSY', `The workspace ${dir} is being written by ${who}`, {
    hint: 'Wait until it has finished, cancel it, or choose another folder with --workspace. list, show and export work meanwhile.',
    ...(holder ? { details: holder } : {}),
  });
}

function readHolder(path: string): z.infer<typeof Holder> | undefined {
  try {
    return Holder.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    // The holder has the lock and has not written its name yet.
    return undefined;
  }
}
