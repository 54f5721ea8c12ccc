import { closeSync, constants, existsSync, fstatSync, lstatSync, openSync, realpathSync, type Stats } from 'node:fs';
import { join } from 'node:path';

/** Why a file inside a folder is not opened. */
export type Obstacle =
  | { readonly kind: 'missing'; readonly cause?: unknown }
  | { readonly kind: 'link' }
  | { readonly kind: 'not-a-file'; readonly what: string }
  | { readonly kind: 'changed' };

export interface OpenedFile {
  /** For reading; the caller closes it. */
  readonly descriptor: number;
  readonly stats: Stats;
}

/** open(2): a handle on the name itself, which neither follows a link, nor waits for a pipe, nor wakes a device. */
const O_PATH = 0o10000000;
const descriptors = '/proc/self/fd';

/**
 * Opens an ordinary file below `folder`, whatever happens to the folder meanwhile: no link is followed, neither as the file
 * nor on the way, nothing but an ordinary file of one name is opened, and what has been looked at is what is read.
 * `parts` are names of folders and of the file; none of them may be '..' or hold a separator.
 */
export function openInside(folder: string, parts: readonly string[]): OpenedFile | Obstacle {
  try {
    return existsSync(descriptors) ? openByHandles(folder, parts) : openByNames(folder, parts);
  } catch (cause) {
    return { kind: 'missing', cause };
  }
}

/** Linux: each part is looked up in the folder that the handle before it holds, so that names cannot be swapped. */
function openByHandles(folder: string, parts: readonly string[]): OpenedFile | Obstacle {
  let handle = openSync(realpathSync(folder), O_PATH | constants.O_DIRECTORY);
  try {
    for (const [index, part] of parts.entries()) {
      const next = openSync(`${descriptors}/${handle}/${part}`, O_PATH | constants.O_NOFOLLOW);
      closeSync(handle);
      handle = next;
      const obstacle = obstacleOf(fstatSync(handle), index < parts.length - 1);
      if (obstacle !== undefined) return obstacle;
    }
    return opened(openSync(`${descriptors}/${handle}`, constants.O_RDONLY));
  } finally {
    closeSync(handle);
  }
}

/** Elsewhere: what was opened must be what stands under the name, with no link on the way, before and after. */
function openByNames(folder: string, parts: readonly string[]): OpenedFile | Obstacle {
  let path = realpathSync(folder);
  for (const [index, part] of parts.entries()) {
    path = join(path, part);
    const obstacle = obstacleOf(lstatSync(path), index < parts.length - 1);
    if (obstacle !== undefined) return obstacle;
  }
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  // Windows has neither flag.
  const file = opened(openSync(path, O_RDONLY | (O_NOFOLLOW ?? 0) | (O_NONBLOCK ?? 0)));
  const now = lstatSync(path, { throwIfNoEntry: false });
  const isSame = now?.ino === file.stats.ino && now.dev === file.stats.dev && realpathSync(path) === path;
  const obstacle = isSame ? obstacleOf(file.stats, false) : ({ kind: 'changed' } as const);
  if (obstacle === undefined) return file;
  closeSync(file.descriptor);
  return obstacle;
}

const opened = (descriptor: number): OpenedFile => ({ descriptor, stats: fstatSync(descriptor) });

function obstacleOf(stats: Stats, wantsFolder: boolean): Obstacle | undefined {
  if (stats.isSymbolicLink()) return { kind: 'link' };
  if (wantsFolder)
    return stats.isDirectory() ? undefined : { kind: 'not-a-file', what: 'something else than a folder' };
  if (!stats.isFile()) return { kind: 'not-a-file', what: kindOf(stats) };
  // A second name may stand anywhere, and the file be no part of this folder at all.
  return stats.nlink > 1 ? { kind: 'link' } : undefined;
}

/** What stands in the place of an ordinary file. */
export function kindOf(stats: Stats): string {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return stats.isCharacterDevice() || stats.isBlockDevice() ? 'a device' : 'something else';
}
