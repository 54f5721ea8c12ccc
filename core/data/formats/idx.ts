import { basename, dirname, join } from 'node:path';
import { grouped, unreadable, unsuitable } from '../errors.ts';
import { openMeasuredFile, readNames, subRegion } from '../files.ts';
import { rawBlock } from '../pixels.ts';
import type { FormatOptions, Part, Source } from './source.ts';

/** IDX: two zero bytes, element type, rank, then big-endian 32-bit sizes and the elements (LeCun's MNIST page). */

const imageName = /^(?<prefix>.*?)(?<split>train|t10k|test)-images(?<dot>[-.]idx3-ubyte)(?<gz>\.gz)?$/iu;

interface IdxHeader {
  readonly dims: readonly number[];
  readonly dataOffset: number;
  readonly totalBytes: number;
}

function parseHeader(head: Uint8Array, name: string, rank: number): IdxHeader {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 4 || view.getUint16(0) !== 0) {
    const got = [...head.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw unreadable(
      `${name} is not an IDX file: expected it to begin with 00 00 08 0${rank}, got ${got}`,
      'Choose a file in the IDX format of MNIST, raw or gzipped.',
    );
  }
  const [type, gotRank] = [view.getUint8(2), view.getUint8(3)];
  if (type !== 8)
    throw unsuitable(
      `${name}: expected IDX elements of type 0x08 (unsigned bytes), got 0x${type.toString(16).padStart(2, '0')}`,
      'Store pixels and labels as unsigned bytes.',
    );
  if (gotRank !== rank) {
    throw unsuitable(
      `${name}: expected IDX ${rank === 3 ? 'images with 3 dimensions' : 'labels with 1 dimension'}, got ${gotRank}`,
      'Check that images and labels were not mixed up.',
    );
  }
  const dataOffset = 4 + 4 * rank;
  if (head.length < dataOffset)
    throw unreadable(
      `${name} is truncated: expected a header of ${dataOffset} bytes, got ${head.length}`,
      'Download or copy the file again.',
    );
  const dims = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i));
  if (dims.includes(0))
    throw unreadable(
      `${name} holds nothing: expected sizes above 0, got ${dims.join(' × ')}`,
      'Download or copy the file again.',
    );
  return { dims, dataOffset, totalBytes: dataOffset + dims.reduce((a, b) => a * b, 1) };
}

async function openPart(
  imagesPath: string,
  labelsPath: string | undefined,
  role: string,
  memoryLimitBytes: number,
): Promise<Part> {
  const images = await openMeasuredFile(
    imagesPath,
    memoryLimitBytes,
    (head, name) => parseHeader(head, name, 3).totalBytes,
  );
  try {
    const head = await images.content.read(0, 16);
    const [count = 0, height = 0, width = 0] = parseHeader(head, images.name, 3).dims;
    const digests = [`${role}-images ${images.sha256}`];
    let labels: Int32Array<ArrayBuffer> | undefined;
    if (labelsPath !== undefined) {
      const file = await openMeasuredFile(
        labelsPath,
        memoryLimitBytes,
        (start, name) => parseHeader(start, name, 1).totalBytes,
      );
      labels = Int32Array.from(await file.content.read(8, file.content.length - 8));
      await file.close();
      digests.push(`${role}-labels ${file.sha256}`);
      if (labels.length !== count) {
        throw unreadable(
          `${file.name} holds ${grouped(labels.length)} labels, expected ${grouped(count)} as ${images.name} has images`,
          'Take images and labels from the same download.',
        );
      }
    }
    const pixels = subRegion(images.content, 16, images.content.length - 16);
    const layout = { kind: 'uint8', count, shape: [1, height, width], channelsLast: false, skip: 0 } as const;
    return { title: images.name, block: rawBlock(pixels, layout, images.close), labels, digests };
  } catch (error) {
    await images.close();
    throw error;
  }
}

const labelsNameOf = (imagesName: string): string =>
  imagesName.replace(/images(?=[-.]idx3)/iu, 'labels').replace(/idx3/iu, 'idx1');

/** The labels file that belongs to an images file, gzipped or not, among the files of its folder. */
function findLabels(imagesName: string, names: ReadonlySet<string>): string | undefined {
  const plain = labelsNameOf(imagesName).replace(/\.gz$/iu, '');
  if (plain === imagesName.replace(/\.gz$/iu, '')) return undefined;
  const other = plain.includes('-idx1') ? plain.replace('-idx1', '.idx1') : plain.replace('.idx1', '-idx1');
  return [plain, `${plain}.gz`, other, `${other}.gz`].find((name) => names.has(name));
}

/** Recognises a folder with train-images-idx3-ubyte and its relatives; undefined when there is none. */
export async function findIdxFolder(
  folder: string,
  names: readonly string[],
  options: FormatOptions,
): Promise<Source | undefined> {
  const known = new Set(names);
  const found = new Map<'train' | 'test', string>();
  const prefixes = new Set<string>();
  for (const name of names.toSorted()) {
    const match = imageName.exec(name);
    if (!match?.groups) continue;
    prefixes.add(match.groups['prefix'] ?? '');
    const split = match.groups['split']?.toLowerCase() === 'train' ? 'train' : 'test';
    // Sorted, so the unpacked file comes before the .gz of the same name.
    if (!found.has(split)) found.set(split, name);
  }
  if (found.size === 0) return undefined;
  if (prefixes.size > 1) {
    throw unsuitable(
      `Folder ${folder} holds several IDX data sets, expected one: ${[...prefixes].map((prefix) => `"${prefix}"`).join(', ')}`,
      'Name one of the images files instead of the folder.',
    );
  }
  const opener = (split: 'train' | 'test') => {
    const name = found.get(split);
    if (name === undefined) return undefined;
    const labels = findLabels(name, known);
    const labelsPath = labels === undefined ? undefined : join(folder, labels);
    return async () => [await openPart(join(folder, name), labelsPath, split, options.memoryLimitBytes)];
  };
  return {
    format: 'idx',
    labelNames: await readNames(join(folder, 'labels.txt')),
    splits: { train: opener('train'), test: opener('test') },
  };
}

/** An images file named directly; `names` are the files beside it. */
export async function idxFile(path: string, names: readonly string[], options: FormatOptions): Promise<Source> {
  const folder = dirname(path);
  const labels = findLabels(basename(path), new Set(names));
  const labelsPath = labels === undefined ? undefined : join(folder, labels);
  return {
    format: 'idx',
    beside: labelsPath === undefined ? [] : [labelsPath],
    labelNames: await readNames(join(folder, 'labels.txt')),
    splits: { only: async () => [await openPart(path, labelsPath, 'only', options.memoryLimitBytes)] },
  };
}
