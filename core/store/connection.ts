import type Database from 'better-sqlite3';
import { WorkbenchError } from '../base/errors.ts';
import { databaseFile } from '../contract/layout.ts';

export type Connection = Database.Database;

/** Runs `action` and turns what SQLite and the file system say into WORKSPACE_UNUSABLE or WORKSPACE_BUSY. */
export function guarded<T>(dir: string, action: () => T): T {
  try {
    return action();
  } catch (thrown) {
    throw storageError(thrown, dir);
  }
}

const reasons: readonly (readonly [pattern: RegExp, text: string, hint: string])[] = [
  [/^(SQLITE_FULL|ENOSPC|EDQUOT)/, 'the disk is full', 'Free some space; a stopped run can be resumed afterwards.'],
  [
    /^(SQLITE_READONLY|SQLITE_CANTOPEN|SQLITE_PERM|EACCES|EPERM|EROFS)/,
    'it cannot be written',
    'Check its permissions, or choose another folder with --workspace.',
  ],
  [/^(EEXIST|ENOTDIR)/, 'a file stands where a folder is expected', 'Choose another folder with --workspace.'],
  [/^ENOENT/, 'a folder on the way to it does not exist', 'Choose another folder with --workspace.'],
  [
    /^(SQLITE_CORRUPT|SQLITE_NOTADB)/,
    `${databaseFile} is damaged or no database`,
    'Restore it from a backup, or choose another folder with --workspace.',
  ],
  [/^(SQLITE_IOERR|EIO)/, 'reading or writing failed', 'Check the disk; a stopped run can be resumed afterwards.'],
];

function storageError(thrown: unknown, dir: string): unknown {
  if (!(thrown instanceof Error) || thrown instanceof WorkbenchError) return thrown;
  const code = 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return new WorkbenchError('WORKSPACE_BUSY', `The history of the workspace ${dir} is locked by another process`, {
      hint: 'Try again in a moment.',
      cause: thrown,
    });
  }
  const reason = reasons.find(([pattern]) => pattern.test(code));
  if (!reason) return thrown;
  return new WorkbenchError(
    'WORKSPACE_UNUSABLE',
    `The workspace ${dir} cannot be used: ${reason[1]} (${thrown.message})`,
    {
      hint: reason[2],
      cause: thrown,
    },
  );
}
