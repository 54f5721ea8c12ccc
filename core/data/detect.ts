import { open, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { DataRef } from '../contract/run.ts';
import { unreadable, unsuitable } from './errors.ts';
import { defaultMemoryLimitBytes, isGzip, reasonOf } from './files.ts';
import { cifarFile, findCifarFolder } from './formats/cifar.ts';
import { csvFile, findCsvFolder, isCsvName } from './formats/csv.ts';
import { isPathTable, pathTable } from './formats/csv-paths.ts';
import { findIdxFolder, idxFile } from './formats/idx.ts';
import { findImageFolder } from './formats/image-folder.ts';
import { findNpyFolder, npyFile, npzFile } from './formats/numpy.ts';
import type { FormatOptions, Source } from './formats/source.ts';

type Format = DataRef['format'];

const kinds =
  'IDX (MNIST), CIFAR binary, .npy, .npz, .csv (pixels, or paths and labels) or a folder of images in class folders';

/** Recognises what lies at a path. Throws DATA_UNREADABLE when nothing is there, DATA_UNSUITABLE for another format. */
export async function findSource(path: string, format: Format, options: FormatOptions): Promise<Source> {
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (cause) {
    throw unreadable(
      `Data set ${path} cannot be opened: ${reasonOf(cause)}`,
      'Check the path and its permissions.',
      cause,
    );
  }
  return isFolder ? sourceInFolder(path, format, options) : sourceOfFile(path, format, options);
}

/** Formats whose files may be of one image set with others beside them. */
const sociable: readonly Format[] = ['idx', 'npy', 'csv'];

/**
 * The files that are read along with one that is named directly: those of its labels, the pictures of a table. None for a
 * folder, and for what cannot be read: opening it says why.
 */
export async function filesBeside({ path, format }: Pick<DataRef, 'path' | 'format'>): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isFile()) return [];
    const found = format === 'auto' ? await formatOfFile(path) : format;
    if (!sociable.includes(found)) return [];
    const source = await sourceOfFile(path, found, { memoryLimitBytes: defaultMemoryLimitBytes, resizeTo: undefined });
    return source.beside ?? [];
  } catch {
    return [];
  }
}

async function sourceInFolder(path: string, format: Format, options: FormatOptions): Promise<Source> {
  const names = await readdir(path);
  const isWanted = (one: Format): boolean => format === 'auto' || format === one;
  const source =
    (isWanted('idx') && (await findIdxFolder(path, names, options))) ||
    (isWanted('cifar') && (await findCifarFolder(path, names, options))) ||
    (isWanted('npz') && (await onlyNpz(path, names, options))) ||
    (isWanted('npy') && (await findNpyFolder(path, names, options))) ||
    (isWanted('csv') && (await onlyPathTable(path, names, options))) ||
    (isWanted('image-folder') && (await findImageFolder(path, options))) ||
    // Last: tables lie beside images, too.
    (isWanted('csv') && (await findCsvFolder(path, names, options)));
  if (source) return source;
  const shown = names.toSorted().slice(0, 5).join(', ');
  const got = names.length === 0 ? 'an empty folder' : `${shown}${names.length > 5 ? ' …' : ''}`;
  throw unsuitable(
    `Folder ${path} holds no data set that can be read: expected ${format === 'auto' ? kinds : format}, got ${got}`,
    'Name the folder that holds the images, or another format.',
  );
}

/** A table that gives pictures their labels says more than the folders that they lie in; one beside folders of classes may not. */
async function onlyPathTable(
  path: string,
  names: readonly string[],
  options: FormatOptions,
): Promise<Source | undefined> {
  const tables: string[] = [];
  for (const name of names.filter(isCsvName)) {
    if (await isPathTable(join(path, name))) tables.push(name);
  }
  const [only] = tables;
  return only !== undefined && tables.length === 1 ? pathTable(join(path, only), options) : undefined;
}

async function onlyNpz(path: string, names: readonly string[], options: FormatOptions): Promise<Source | undefined> {
  const archives = names.filter((name) => name.endsWith('.npz'));
  const [first] = archives;
  if (first === undefined) return undefined;
  if (archives.length > 1)
    throw unsuitable(
      `Folder ${path} holds ${archives.length} .npz files, expected one`,
      'Name one of the files instead of the folder.',
    );
  return npzFile(`${path}/${first}`, options);
}

async function sourceOfFile(path: string, format: Format, options: FormatOptions): Promise<Source> {
  const found = format === 'auto' ? await formatOfFile(path) : format;
  const beside = await readdir(dirname(path));
  switch (found) {
    case 'idx':
      return idxFile(path, beside, options);
    case 'npy':
      return npyFile(path, beside, options);
    case 'npz':
      return npzFile(path, options);
    case 'cifar':
      return cifarFile(path, options);
    case 'csv':
      return (await isPathTable(path)) ? pathTable(path, options) : csvFile(path, options);
    case 'image-folder':
      throw unsuitable(`${path} is a file, expected a folder of images`, 'Name the folder.');
    default:
      throw unsuitable(
        `${path} is in no format that can be read: expected ${kinds}`,
        'Convert it, or name the format.',
      );
  }
}

async function formatOfFile(path: string): Promise<Format> {
  const head = await headOf(path);
  if (head[0] === 0x93 && head[1] === 0x4e) return 'npy';
  if (head[0] === 0x50 && head[1] === 0x4b) return 'npz';
  if (path.endsWith('.npz')) return 'npz';
  if (path.endsWith('.npy')) return 'npy';
  if (path.endsWith('.bin')) return 'cifar';
  if (isCsvName(path)) return 'csv';
  const isIdx = head[0] === 0 && head[1] === 0 && head[2] === 8;
  return isIdx || isGzip(head) || /idx\d/u.test(basename(path)) ? 'idx' : 'auto';
}

async function headOf(path: string): Promise<Uint8Array> {
  // A pipe or device would block or never end, so only a regular file is read; openDataFile says what it was.
  if (!(await stat(path)).isFile()) return new Uint8Array(0);
  const handle = await open(path, 'r');
  try {
    const head = new Uint8Array(4);
    const { bytesRead } = await handle.read(head, 0, 4, 0);
    return head.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
