import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import Database from 'better-sqlite3';
import { databaseFile } from '../contract/layout.ts';
import type { Connection } from './connection.ts';
import { migrate } from './migrate.ts';

/** How long a statement waits for another connection's transaction. Transactions here take milliseconds. */
const statementWaitMs = 5000;

export const databasePath = (dir: string): string => join(dir, databaseFile);

/** An in-memory history: what a workspace that does not exist yet looks like to a reader. */
export function emptyDatabase(): Connection {
  const db = new Database(':memory:');
  migrate(db);
  return db;
}

/** Opens the history for reading beside a writer. It must exist. */
export function openReading(dir: string): Connection {
  return new Database(databasePath(dir), { readonly: true, fileMustExist: true, timeout: statementWaitMs });
}

/** Opens the history for writing and lifts its schema; creates it when absent. Call it under the writer's lock. */
export function openWriting(dir: string): Connection {
  if (!existsSync(databasePath(dir))) createDatabase(dir);
  const db = new Database(databasePath(dir), { fileMustExist: true, timeout: statementWaitMs });
  try {
    migrate(db);
    db.pragma('journal_mode = WAL');
    db.pragma('foreign_keys = ON');
  } catch (thrown) {
    db.close();
    throw thrown;
  }
  return db;
}

/** Made complete under another name, so that a reader never meets a database without tables. */
function createDatabase(dir: string): void {
  const temporary = `${databasePath(dir)}.new`;
  rmSync(temporary, { force: true });
  rmSync(`${temporary}-journal`, { force: true });
  const db = new Database(temporary);
  try {
    db.pragma('synchronous = FULL');
    migrate(db);
  } finally {
    db.close();
  }
  renameSync(temporary, databasePath(dir));
  syncFolder(dir);
}

/** Makes a rename durable. Windows cannot open folders and does this by itself. */
function syncFolder(dir: string): void {
  if (process.platform === 'win32') return;
  const handle = openSync(dir, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** Makes a folder and those above it, one by one: Node's own recursion never ends where a parent refuses, as in /proc. */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeFolder(parent);
  try {
    mkdirSync(path);
  } catch (error) {
    // Another process may have been quicker.
    if (!existsSync(path)) throw error;
  }
}
