import { WorkbenchError, invariant } from '../base/errors.ts';
import type { Connection } from './connection.ts';
import { migration as history } from './migrations/0001-history.ts';
import { migration as annotations } from './migrations/0002-annotations.ts';
import { migration as imports } from './migrations/0003-imports.ts';
import { migration as paused } from './migrations/0004-paused.ts';
import { migration as progress } from './migrations/0005-progress.ts';

export interface Migration {
  /** 1, 2, 3 …: the schema version that it leads to. */
  readonly version: number;
  readonly sql: string;
}

/** In order and without gaps; never edited after a release. */
export const migrations: readonly Migration[] = [history, annotations, imports, paused, progress];

/** 'PALI': tells our file from other SQLite files. */
const applicationId = 0x50414c49;

export function schemaVersion(db: Connection): number {
  return Number(db.pragma('user_version', { simple: true }));
}

/**
 * Lifts a database to the newest schema, each step in a transaction of its own.
 * WORKSPACE_UNUSABLE: another program's file, or a schema newer than the steps known here.
 */
export function migrate(db: Connection, steps: readonly Migration[] = migrations): void {
  steps.forEach((step, index) => {
    invariant(step.version === index + 1, `migration ${index + 1} of the history is numbered ${step.version}`);
  });
  checkOwner(db);
  const current = schemaVersion(db);
  checkVersion(current, steps.length, db.name);
  for (const step of steps.slice(current)) {
    db.transaction(() => {
      db.exec(step.sql);
      db.pragma(`application_id = ${applicationId}`);
      db.pragma(`user_version = ${step.version}`);
    }).exclusive();
  }
}

export function checkVersion(current: number, known: number, file: string): void {
  if (current <= known) return;
  throw new WorkbenchError(
    'WORKSPACE_UNUSABLE',
    `The history ${file} was written by a newer Palimpsest: expected schema version ${known} or older, got ${current}`,
    { hint: 'Update Palimpsest, or choose another folder with --workspace.' },
  );
}

function checkOwner(db: Connection): void {
  const owner = Number(db.pragma('application_id', { simple: true }));
  const tables = db.prepare<[], { count: number }>('SELECT COUNT(*) AS count FROM sqlite_schema').get();
  if (owner === applicationId || (owner === 0 && schemaVersion(db) === 0 && tables?.count === 0)) return;
  throw new WorkbenchError('WORKSPACE_UNUSABLE', `${db.name} is a database of another program`, {
    hint: 'Choose another folder with --workspace.',
  });
}
