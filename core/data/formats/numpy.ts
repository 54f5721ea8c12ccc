import { basename, dirname, join } from 'node:path';
import { grouped, unreadable, unsuitable } from '../errors.ts';
import { openDataFile, readNames } from '../files.ts';
import { npyBlock, npyLabels, parseNpy, type NpyArray } from './npy.ts';
import type { FormatOptions, Part, Source } from './source.ts';
import { openZipEntry, readZipDirectory } from './zip.ts';

/** Names under which people store images and their labels, by split. */
const pairs = {
  train: [
    ['x_train', 'y_train'],
    ['X_train', 'y_train'],
    ['train_images', 'train_labels'],
    ['train_x', 'train_y'],
  ],
  test: [
    ['x_test', 'y_test'],
    ['X_test', 'y_test'],
    ['test_images', 'test_labels'],
    ['test_x', 'test_y'],
  ],
  only: [
    ['images', 'labels'],
    ['x', 'y'],
    ['X', 'y'],
    ['arr_0', 'arr_1'],
    ['data', 'labels'],
    ['data', 'target'],
  ],
} as const;
type SplitName = keyof typeof pairs;
const expectedKeys = 'x_train and y_train, x_test and y_test, images and labels, or arr_0 and arr_1';

/** The first pair of names of a split whose images are there; labels may be missing. */
function findPair(
  split: SplitName,
  keys: ReadonlySet<string>,
): { images: string; labels: string | undefined } | undefined {
  for (const [images, labels] of pairs[split]) {
    if (keys.has(images)) return { images, labels: keys.has(labels) ? labels : undefined };
  }
  return undefined;
}

interface OpenArray {
  readonly array: NpyArray;
  readonly digest: string;
  close(): Promise<void>;
}

async function makePart(
  images: OpenArray,
  labels: OpenArray | undefined,
  title: string,
  digests: readonly string[],
): Promise<Part> {
  try {
    const block = await npyBlock(images.array, images.close);
    const classes = labels && (await npyLabels(labels.array));
    if (labels && classes && classes.length !== block.count) {
      throw unreadable(
        `${labels.array.name} holds ${grouped(classes.length)} labels, expected ${grouped(block.count)} as ${images.array.name} has images`,
        'Save images and labels of the same items.',
      );
    }
    return { title, block, labels: classes, digests };
  } catch (error) {
    await images.close();
    throw error;
  } finally {
    await labels?.close();
  }
}

function source(
  format: 'npz' | 'npy',
  where: string,
  keys: ReadonlySet<string>,
  labelNames: readonly string[] | undefined,
  open: (split: SplitName, images: string, labels: string | undefined) => Promise<Part>,
): Source {
  const opener = (split: SplitName) => {
    const pair = findPair(split, keys);
    return pair && (async () => [await open(split, pair.images, pair.labels)]);
  };
  const splits = { train: opener('train'), test: opener('test') };
  const only = splits.train || splits.test ? undefined : opener('only');
  if (!splits.train && !splits.test && !only) {
    throw unsuitable(
      `${where}: expected arrays named ${expectedKeys}, got ${[...keys].toSorted().slice(0, 20).join(', ') || 'none'}`,
      'Save with numpy.savez(file, images=…, labels=…).',
    );
  }
  return { format, labelNames, splits: { ...splits, only } };
}

export async function npzFile(path: string, options: FormatOptions): Promise<Source> {
  const name = basename(path);
  const file = await openDataFile(path, options.memoryLimitBytes);
  let keys: ReadonlySet<string>;
  try {
    keys = new Set((await readZipDirectory(file.content, name)).map((entry) => entry.name.replace(/\.npy$/u, '')));
  } finally {
    await file.close();
  }
  const labelNames = await readNames(join(dirname(path), 'labels.txt'));
  return source('npz', name, keys, labelNames, async (_split, images, labels) => {
    const archive = await openDataFile(path, options.memoryLimitBytes);
    try {
      const entries = await readZipDirectory(archive.content, name);
      const load = async (key: string): Promise<OpenArray> => {
        const entry = entries.find((candidate) => candidate.name === `${key}.npy` || candidate.name === key);
        if (!entry)
          throw unreadable(
            `${name} changed while it was read: expected an array "${key}"`,
            'Leave data files unchanged while a run uses them.',
          );
        const content = await openZipEntry(archive.content, entry, name);
        return { array: await parseNpy(content, `${name}: "${key}"`), digest: archive.sha256, close: async () => {} };
      };
      const classes = labels === undefined ? undefined : await load(labels);
      return await makePart({ ...(await load(images)), close: archive.close }, classes, name, [
        `npz ${archive.sha256}`,
      ]);
    } catch (error) {
      await archive.close();
      throw error;
    }
  });
}

async function openNpy(path: string, options: FormatOptions): Promise<OpenArray> {
  const file = await openDataFile(path, options.memoryLimitBytes);
  try {
    return { array: await parseNpy(file.content, file.name), digest: file.sha256, close: file.close };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function npyPart(
  folder: string,
  role: string,
  images: string,
  labels: string | undefined,
  options: FormatOptions,
): Promise<Part> {
  const classes = labels === undefined ? undefined : await openNpy(join(folder, `${labels}.npy`), options);
  const pixels = await openNpy(join(folder, `${images}.npy`), options);
  const digests = [`${role}-images ${pixels.digest}`, ...(classes ? [`${role}-labels ${classes.digest}`] : [])];
  return makePart(pixels, classes, `${images}.npy`, digests);
}

const keysOf = (names: readonly string[]): Set<string> =>
  new Set(names.filter((name) => name.endsWith('.npy')).map((name) => name.slice(0, -4)));

/** An images file named directly; labels are the file of the matching name beside it (images.npy, labels.npy). */
export async function npyFile(path: string, names: readonly string[], options: FormatOptions): Promise<Source> {
  const folder = dirname(path);
  const images = basename(path, '.npy');
  const known = keysOf(names);
  const partners = [
    ...Object.values(pairs)
      .flat()
      .filter(([x]) => x === images)
      .map(([, y]) => y),
    `${images}_labels`,
    `${images}.labels`,
  ];
  const labels = partners.find((key) => known.has(key));
  const labelNames = await readNames(join(folder, 'labels.txt'));
  return {
    format: 'npy',
    beside: labels === undefined ? [] : [join(folder, `${labels}.npy`)],
    labelNames,
    splits: { only: async () => [await npyPart(folder, 'only', images, labels, options)] },
  };
}

/** A folder of .npy files with the names that an .npz would hold; undefined when there is none. */
export async function findNpyFolder(
  folder: string,
  names: readonly string[],
  options: FormatOptions,
): Promise<Source | undefined> {
  const keys = keysOf(names);
  if (keys.size === 0) return undefined;
  const labelNames = await readNames(join(folder, 'labels.txt'));
  return source('npy', folder, keys, labelNames, (split, images, labels) =>
    npyPart(folder, split, images, labels, options),
  );
}
