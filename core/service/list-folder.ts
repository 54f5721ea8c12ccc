import { readdirSync, statSync, type Stats } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { WorkbenchError } from '../base/errors.ts';
import type { RequestResult } from '../contract/bridge.ts';

/** What lies in a folder, folders first, by name; at most `most` entries. @throws USAGE when it cannot be read */
export function listFolder(given: string, most = 5000): RequestResult<'files.list'> {
  const path = resolve(given);
  const entries = namesIn(path)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) => {
      const full = join(path, name);
      const stats = statsOf(full);
      if (!stats?.isFile() && !stats?.isDirectory()) return [];
      return [{ name, path: full, isFolder: stats.isDirectory(), sizeBytes: stats.size }];
    })
    .toSorted((a, b) => Number(b.isFolder) - Number(a.isFolder) || a.name.localeCompare(b.name, 'en'))
    .slice(0, most);
  return { path, parent: dirname(path) === path ? null : dirname(path), entries };
}

function namesIn(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch (thrown) {
    throw new WorkbenchError('USAGE', `Cannot look into ${path}: it is no folder, or may not be read`, {
      hint: 'Choose another folder.',
      cause: thrown,
    });
  }
}

/** Undefined for a link that leads nowhere or in a circle, and for what may not be looked at: nothing to choose. */
function statsOf(path: string): Stats | undefined {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
