import { WorkbenchError } from './errors.ts';

const fullCodes = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);
const unwritableCodes = new Set(['EACCES', 'EPERM', 'EROFS', 'EIO', 'ENOTDIR', 'EEXIST', 'ENOENT']);

/** What a failed write to the workspace is told as; anything that is no failure of a disk stays what it was. */
export function writeError(thrown: unknown, path: string): unknown {
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
