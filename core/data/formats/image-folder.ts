import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { toWorkbenchError, type WorkbenchError } from '../../base/errors.ts';
import { unreadable, unsuitable, wrongFiles } from '../errors.ts';
import { memoryRegion } from '../files.ts';
import { rawBlock, type PixelBlock } from '../pixels.ts';
import { decodeImage, isImageName, probeImage, type DecodeTarget, type ImageFacts } from './image-file.ts';
import type { FormatOptions, Part, Source } from './source.ts';

/**
 * ImageFolder: one folder for each class, the classes numbered in the order of their sorted names; or folders train
 * and test (or else val) of such folders; or a flat folder of pictures without labels. All-grey folders have one channel, others three.
 */
const splitNames = new Map<string, 'train' | 'test' | 'other'>([
  ['train', 'train'],
  ['training', 'train'],
  ['test', 'test'],
  ['testing', 'test'],
  ['val', 'other'],
  ['valid', 'other'],
  ['validation', 'other'],
]);

/** What a folder or a column calls a part of a data set, in any case of letters; undefined for any other name. */
export const splitOf = (name: string): 'train' | 'test' | 'other' | undefined => splitNames.get(name.toLowerCase());

const ignored: ReadonlySet<string> = new Set(['Thumbs.db', 'desktop.ini']);
const maxDepth = 4;
const atOnce = 4;

interface Listing {
  readonly folders: readonly string[];
  readonly files: readonly string[];
}

async function list(folder: string): Promise<Listing> {
  const entries = await readdir(folder, { withFileTypes: true });
  const seen = entries.filter((entry) => !entry.name.startsWith('.') && !ignored.has(entry.name));
  const names = (isFolder: boolean) =>
    seen
      .filter((entry) => entry.isDirectory() === isFolder)
      .map((entry) => entry.name)
      .toSorted();
  return { folders: names(true), files: names(false) };
}

/** Paths of all pictures below a class folder, relative to `root`, sorted. */
async function picturesBelow(root: string, relative: string, depth: number): Promise<string[]> {
  if (depth > maxDepth)
    throw unsuitable(
      `Folder ${join(root, relative)} lies ${depth} levels deep, expected at most ${maxDepth}`,
      'Put the pictures directly into their class folder.',
    );
  const { folders, files } = await list(join(root, relative));
  const paths = files.map((file) => join(relative, file));
  for (const folder of folders) paths.push(...(await picturesBelow(root, join(relative, folder), depth + 1)));
  return paths;
}

const notAnImage = (path: string): WorkbenchError =>
  unreadable(
    `${path} is not an image: expected PNG, JPEG, WebP, TIFF or GIF in a class folder`,
    'Move the file out of the folder.',
  );

/** A picture of a data set. */
export interface Item {
  /** Relative to the data set's root, with / on every system. */
  readonly key: string;
  readonly path: string;
  readonly label: number | undefined;
}

async function itemsOf(
  root: string,
  base: string,
  classes: readonly string[],
  labelNames: readonly string[],
): Promise<Item[]> {
  const items: Item[] = [];
  for (const name of classes) {
    const paths = await picturesBelow(root, join(base, name), 1);
    if (paths.length === 0)
      throw unreadable(
        `Class folder ${join(root, base, name)} is empty: expected at least one image`,
        'Add images or remove the folder.',
      );
    for (const path of paths) items.push(itemAt(root, path, labelNames.indexOf(name)));
  }
  return items;
}

const itemAt = (root: string, path: string, label: number | undefined): Item => ({
  key: path.replaceAll('\\', '/'),
  path: join(root, path),
  label,
});

/** Runs `work` on 0 … count - 1, four at a time. */
async function inParallel(count: number, work: (i: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker));
}

/** Does `work` for every item; all that fail are told at once. */
async function forEachItem(items: readonly Item[], work: (item: Item, i: number) => Promise<void>): Promise<void> {
  const failed = new Map<number, { path: string; error: WorkbenchError }>();
  await inParallel(items.length, async (i) => {
    const item = items[i];
    if (!item) return;
    try {
      await work(item, i);
    } catch (thrown) {
      failed.set(i, { path: item.path, error: toWorkbenchError(thrown) });
    }
  });
  if (failed.size === 0) return;
  throw wrongFiles([...failed].toSorted(([a], [b]) => a - b).map(([, each]) => each));
}

async function openPart(title: string, items: readonly Item[], wanted: Wanted, options: FormatOptions): Promise<Part> {
  const { target } = wanted;
  const bytesPerItem = target.channels * target.height * target.width * (target.isDeep ? 2 : 1);
  const fits = items.length * bytesPerItem <= options.memoryLimitBytes;
  const block = fits ? await loadedBlock(items, target, bytesPerItem) : streamedBlock(items, target, bytesPerItem);
  const labels = items.some((item) => item.label === undefined)
    ? undefined
    : Int32Array.from(items, (item) => item.label ?? 0);
  return {
    title,
    block,
    labels,
    digests: items.map((item) => `${item.key} ${wanted.facts.get(item.path)?.sha256 ?? ''}`),
  };
}

const layoutOf = (count: number, target: DecodeTarget) =>
  ({
    kind: target.isDeep ? 'uint16' : 'uint8',
    count,
    shape: [target.channels, target.height, target.width],
    channelsLast: true,
    skip: 0,
  }) as const;

async function loadedBlock(items: readonly Item[], target: DecodeTarget, bytesPerItem: number): Promise<PixelBlock> {
  const bytes = new Uint8Array(items.length * bytesPerItem);
  await forEachItem(items, async ({ path }, i) => bytes.set(await decodeImage(path, target), i * bytesPerItem));
  return rawBlock(memoryRegion(bytes), layoutOf(items.length, target), async () => {});
}

function streamedBlock(items: readonly Item[], target: DecodeTarget, bytesPerItem: number): PixelBlock {
  const region = {
    length: items.length * bytesPerItem,
    bytes: undefined,
    read: async (start: number, length: number): Promise<Uint8Array> => {
      const first = start / bytesPerItem;
      const bytes = new Uint8Array(length);
      await inParallel(length / bytesPerItem, async (i) => {
        const item = items[first + i];
        if (item) bytes.set(await decodeImage(item.path, target), i * bytesPerItem);
      });
      return bytes;
    },
  };
  return rawBlock(region, layoutOf(items.length, target), async () => {});
}

interface Wanted {
  readonly facts: ReadonlyMap<string, ImageFacts>;
  readonly target: DecodeTarget;
}

/** Probes all pictures and finds the one shape that serves for all, or says which file differs. */
async function probeAll(items: readonly Item[], resizeTo: readonly [number, number] | undefined): Promise<Wanted> {
  const facts = new Map<string, ImageFacts>();
  await forEachItem(items, async ({ path }) => {
    if (!isImageName(path)) throw notAnImage(path);
    facts.set(path, await probeImage(path));
  });
  const all = items.flatMap((item) => facts.get(item.path) ?? []);
  const [first] = all;
  const [height, width] = resizeTo ?? [first?.height ?? 0, first?.width ?? 0];
  const odd = resizeTo ? [] : items.filter(({ path }) => isOfSize(facts.get(path), height, width) === false);
  if (odd.length > 0) {
    throw wrongFiles(
      odd.map(({ path }) => ({
        path,
        error: ofAnotherSize(path, facts.get(path), height, width, items[0]?.path ?? ''),
      })),
    );
  }
  const channels = all.every((one) => one.isGrey) ? 1 : 3;
  return { facts, target: { channels, height, width, isDeep: all.some((one) => one.isDeep) } };
}

const isOfSize = (facts: ImageFacts | undefined, height: number, width: number): boolean | undefined =>
  facts && facts.height === height && facts.width === width;

const ofAnotherSize = (
  path: string,
  facts: ImageFacts | undefined,
  height: number,
  width: number,
  first: string,
): WorkbenchError =>
  unsuitable(
    `Image ${path} is ${facts?.height ?? 0} × ${facts?.width ?? 0}, expected ${height} × ${width} (height × width) as ${first}`,
    'Give all images one size, or ask for them to be resized.',
    { canBeResized: true },
  );

/** Pictures as one part of a data set: all of one size, or brought to that of the model. */
export async function openPictures(title: string, items: readonly Item[], options: FormatOptions): Promise<Part> {
  return openPart(title, items, await probeAll(items, options.resizeTo), options);
}

/** Reads the structure of a folder; undefined when there is no picture in it. */
export async function findImageFolder(root: string, options: FormatOptions): Promise<Source | undefined> {
  const { folders, files } = await list(root);
  const pictures = files.filter(isImageName);
  if (folders.length === 0 && pictures.length === 0) return undefined;
  if (folders.length > 0 && pictures.length > 0)
    throw unsuitable(
      `Folder ${root} holds images (${pictures[0] ?? ''}) beside class folders (${folders[0] ?? ''}), expected one or the other`,
      'Move the loose images into a class folder.',
    );
  const opener = (title: string, items: () => Promise<Item[]>) => async () => [
    await openPictures(title, await items(), options),
  ];
  if (folders.length === 0) {
    return {
      format: 'image-folder',
      labelNames: undefined,
      splits: { only: opener(root, async () => pictures.map((name) => itemAt(root, name, undefined))) },
    };
  }
  const roles = folders.map(splitOf);
  if (roles.includes(undefined) || roles.every((role) => role === 'other')) {
    return {
      format: 'image-folder',
      labelNames: folders,
      splits: { only: opener(root, () => itemsOf(root, '', folders, folders)) },
    };
  }
  const named = (role: string): string[] => folders.filter((_, i) => roles[i] === role);
  // What is called validation is tested on where there is nothing else.
  const bases = { train: named('train'), test: roles.includes('test') ? named('test') : named('other') };
  const names = new Set<string>();
  for (const base of [...bases.train, ...bases.test])
    for (const name of (await list(join(root, base))).folders) names.add(name);
  const labelNames = [...names].toSorted();
  const splitOpener = (base: string | undefined) =>
    base !== undefined &&
    opener(join(root, base), async () => itemsOf(root, base, (await list(join(root, base))).folders, labelNames));
  return {
    format: 'image-folder',
    labelNames,
    splits: { train: splitOpener(bases.train[0]) || undefined, test: splitOpener(bases.test[0]) || undefined },
  };
}
