import { basename, dirname, join } from 'node:path';
import { grouped, unreadable, unsuitable } from '../errors.ts';
import { openDataFile, readNames } from '../files.ts';
import { rawBlock } from '../pixels.ts';
import type { FormatOptions, Part, Source } from './source.ts';

/**
 * CIFAR binary: records of label bytes and 3 × 32 × 32 pixels, red, green, blue plane. CIFAR-10 has one label byte,
 * CIFAR-100 two (coarse, fine); the fine one is used.
 */
const pixels = 3 * 32 * 32;
const trainName = /^(?:data_batch_\d+|train)\.bin$/u;
const testName = /^(?:test_batch|test)\.bin$/u;

async function openPart(path: string, labelBytes: 1 | 2, memoryLimitBytes: number): Promise<Part> {
  const file = await openDataFile(path, memoryLimitBytes);
  try {
    const record = labelBytes + pixels;
    const classes = labelBytes === 1 ? 10 : 100;
    const count = file.content.length / record;
    if (!Number.isInteger(count)) {
      throw unreadable(
        `${file.name} is truncated or not CIFAR-${classes}: expected a multiple of ${grouped(record)} bytes, got ${grouped(file.content.length)}`,
        'Download the binary version again.',
      );
    }
    const labels = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const label = (await file.content.read(i * record + labelBytes - 1, 1))[0] ?? 0;
      if (label >= classes) {
        throw unreadable(
          `${file.name}: label of item ${grouped(i)} is ${label}, expected 0 to ${classes - 1}`,
          'This is not the binary version of CIFAR.',
        );
      }
      labels[i] = label;
    }
    const block = rawBlock(
      file.content,
      { kind: 'uint8', count, shape: [3, 32, 32], channelsLast: false, skip: labelBytes },
      file.close,
    );
    return { title: file.name, block, labels, digests: [`${file.name} ${file.sha256}`] };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function namesIn(folder: string, labelBytes: 1 | 2): Promise<readonly string[] | undefined> {
  return (
    (await readNames(join(folder, labelBytes === 1 ? 'batches.meta.txt' : 'fine_label_names.txt'))) ??
    readNames(join(folder, 'labels.txt'))
  );
}

const labelBytesOf = (name: string): 1 | 2 => (/^(?:train|test)\.bin$/u.test(name) ? 2 : 1);

/** Recognises a folder with the .bin files of CIFAR-10 or CIFAR-100. */
export async function findCifarFolder(
  folder: string,
  names: readonly string[],
  options: FormatOptions,
): Promise<Source | undefined> {
  const train = names.filter((name) => trainName.test(name)).toSorted();
  const test = names.filter((name) => testName.test(name)).toSorted();
  const all = [...train, ...test];
  const [first] = all;
  if (first === undefined) {
    if (!names.includes('data_batch_1')) return undefined;
    throw unsuitable(
      `Folder ${folder} holds the Python version of CIFAR (pickles, which could run code), expected the binary version`,
      'Use the "binary version" of the download: data_batch_1.bin and so on.',
    );
  }
  const labelBytes = labelBytesOf(first);
  if (all.some((name) => labelBytesOf(name) !== labelBytes))
    throw unsuitable(
      `Folder ${folder} holds both CIFAR-10 and CIFAR-100, expected one`,
      'Put them into folders of their own.',
    );
  const opener = (files: readonly string[]) => {
    if (files.length === 0) return undefined;
    return async () => {
      const parts: Part[] = [];
      for (const name of files) parts.push(await openPart(join(folder, name), labelBytes, options.memoryLimitBytes));
      return parts;
    };
  };
  return {
    format: 'cifar',
    labelNames: await namesIn(folder, labelBytes),
    splits: { train: opener(train), test: opener(test) },
  };
}

/** One .bin file named directly. */
export async function cifarFile(path: string, options: FormatOptions): Promise<Source> {
  const labelBytes = labelBytesOf(basename(path));
  return {
    format: 'cifar',
    labelNames: await namesIn(dirname(path), labelBytes),
    splits: { only: async () => [await openPart(path, labelBytes, options.memoryLimitBytes)] },
  };
}
