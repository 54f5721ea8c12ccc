import { createHash } from 'node:crypto';
import type { DataRef } from '../contract/run.ts';
import { WorkbenchError } from '../base/errors.ts';
import { permutation, stream } from '../base/rng.ts';
import { grouped, unreadable, unsuitable } from './errors.ts';
import { findSource } from './detect.ts';
import { defaultMemoryLimitBytes } from './files.ts';
import type { Part, Source } from './formats/source.ts';
import { concatBlocks, type ItemShape } from './pixels.ts';

/** Labelled or unlabelled images of one shape, wherever they come from. */
export interface ImageSet {
  /** File name(s), for messages. */
  readonly title: string;
  readonly format: 'idx' | 'image-folder' | 'npz' | 'npy' | 'cifar' | 'csv' | 'memory';
  readonly count: number;
  /** Channels, height, width of every item as stored. */
  readonly shape: ItemShape;
  /** Class numbers [count], or undefined when there are none. */
  readonly labels: Int32Array<ArrayBuffer> | undefined;
  readonly labelNames: readonly string[] | undefined;
  /** SHA-256 over the files used; of an image folder over relative paths and contents. Hex. */
  readonly fingerprint: string;
  /**
   * Writes the items `indices` to `out` [indices.length, C, H, W], float32 in [0, 1]. Large sets are read from disk.
   * Rejects with SHAPE_MISMATCH when `out` has another length or an index is out of range.
   */
  read(indices: ArrayLike<number>, out: Float32Array): Promise<void>;
  close(): Promise<void>;
}

export interface OpenOptions {
  /** Labels at or above it are refused. */
  readonly classCount?: number | undefined;
  /** [height, width] for image folders whose pictures have another size, and for .csv files that do not say theirs. */
  readonly resizeTo?: readonly [number, number] | undefined;
  /** Seed of the permutation that `limit` takes its items from; 0 when absent. */
  readonly limitSeed?: number | undefined;
  readonly memoryLimitBytes?: number | undefined;
}

/**
 * Opens a data set from disk. 'all' is train followed by test. A file named directly, or files that say nothing about
 * splits, serve for any split. Throws DATA_UNREADABLE (damaged or hostile) or DATA_UNSUITABLE (sound, but not usable).
 */
export async function openDataset(ref: DataRef, options: OpenOptions = {}): Promise<ImageSet> {
  const source = await findSource(ref.path, ref.format, {
    memoryLimitBytes: options.memoryLimitBytes ?? defaultMemoryLimitBytes,
    resizeTo: options.resizeTo,
  });
  const parts: Part[] = [];
  try {
    for (const open of chooseSplits(source, ref)) parts.push(...(await open()));
    return assemble(source, parts, ref, options);
  } catch (error) {
    for (const part of parts) await part.block.close();
    throw error;
  }
}

function chooseSplits(source: Source, ref: DataRef): (() => Promise<readonly Part[]>)[] {
  const { train, test, only } = source.splits;
  const chosen = (only ? [only] : ref.split === 'all' ? [train, test] : [source.splits[ref.split]]).filter(
    (open) => open !== undefined,
  );
  if (chosen.length > 0) return chosen;
  throw unsuitable(
    `${ref.path} has no ${ref.split} images, expected ${ref.split}; it has ${train ? 'train' : 'test'}`,
    `Use the ${train ? 'train' : 'test'} split, or name the images file itself.`,
  );
}

function assemble(source: Source, parts: readonly Part[], ref: DataRef, options: OpenOptions): ImageSet {
  const [first] = parts;
  if (!first) throw unreadable(`${ref.path} holds no images`, 'Choose a folder or file with images.');
  for (const part of parts) {
    if (part.block.shape.join() !== first.block.shape.join()) {
      throw unsuitable(
        `${part.title} holds images of ${shapeText(part.block.shape)}, expected ${shapeText(first.block.shape)} as ${first.title}`,
        'Use one split at a time, or give all images one size.',
      );
    }
  }
  const block = concatBlocks(parts.map((part) => part.block));
  const labels = joinLabels(parts);
  checkLabels(labels, source.labelNames, options.classCount, first.title);
  const order =
    ref.limit !== undefined && ref.limit < block.count
      ? permutation(stream(options.limitSeed ?? 0, 'data-limit'), block.count).slice(0, ref.limit)
      : undefined;
  const count = order?.length ?? block.count;
  const read = async (indices: ArrayLike<number>, out: Float32Array): Promise<void> => {
    checkRequest(first.title, count, block.shape, indices, out);
    const items = order ? Int32Array.from(indices, (i) => order[i] ?? 0) : indices;
    await block.read(
      items,
      Int32Array.from({ length: indices.length }, (_, i) => i),
      out,
    );
  };
  return {
    title: parts.length === 1 ? first.title : `${first.title} and ${parts.length - 1} more`,
    format: source.format,
    count,
    shape: block.shape,
    labels: labels && order ? Int32Array.from(order, (i) => labels[i] ?? 0) : labels,
    labelNames: source.labelNames,
    fingerprint: digestOf(parts.flatMap((part) => part.digests)),
    read,
    close: block.close,
  };
}

const shapeText = ([channels, height, width]: ItemShape): string =>
  `${channels} × ${height} × ${width} (channels × height × width)`;

const digestOf = (lines: readonly string[]): string =>
  createHash('sha256').update(lines.toSorted().join('\n')).digest('hex');

function joinLabels(parts: readonly Part[]): Int32Array<ArrayBuffer> | undefined {
  const joined = new Int32Array(parts.reduce((sum, part) => sum + part.block.count, 0));
  let at = 0;
  for (const part of parts) {
    if (!part.labels) return undefined;
    joined.set(part.labels, at);
    at += part.labels.length;
  }
  return joined;
}

function checkLabels(
  labels: Int32Array | undefined,
  names: readonly string[] | undefined,
  classCount: number | undefined,
  title: string,
): void {
  if (!labels) return;
  const limit = Math.min(classCount ?? Infinity, names?.length ?? Infinity);
  const bad = labels.findIndex((label) => label < 0 || label >= limit);
  if (bad < 0) return;
  const why = limit === classCount ? `for ${classCount} classes` : `as there are ${names?.length ?? 0} label names`;
  throw unsuitable(
    `${title}: label of item ${grouped(bad)} is ${labels[bad] ?? 0}, expected 0 to ${limit - 1} ${why}`,
    'Choose data with the classes of the model, or correct labels.txt.',
  );
}

function checkRequest(
  title: string,
  count: number,
  shape: ItemShape,
  indices: ArrayLike<number>,
  out: Float32Array,
): void {
  const expected = indices.length * shape[0] * shape[1] * shape[2];
  if (out.length !== expected)
    throw new WorkbenchError(
      'SHAPE_MISMATCH',
      `Reading ${indices.length} items of ${title}: expected room for ${expected} numbers, got ${out.length}`,
    );
  for (let i = 0; i < indices.length; i++) {
    const index = indices[i] ?? -1;
    if (Number.isInteger(index) && index >= 0 && index < count) continue;
    throw new WorkbenchError('SHAPE_MISMATCH', `Item ${index} of ${title} does not exist, expected 0 to ${count - 1}`);
  }
}

export interface MemoryImages {
  readonly title: string;
  /** [N, C, H, W] in [0, 1]. */
  readonly images: Float32Array<ArrayBuffer>;
  readonly shape: ItemShape;
  readonly labels?: Int32Array<ArrayBuffer> | undefined;
  readonly labelNames?: readonly string[] | undefined;
}

/** An image set over an array; the array is not copied. */
export function memorySet(given: MemoryImages): ImageSet {
  const { title, images, shape, labels } = given;
  const size = shape[0] * shape[1] * shape[2];
  const count = images.length / size;
  if (!Number.isInteger(count) || count === 0 || (labels && labels.length !== count)) {
    throw new WorkbenchError(
      'SHAPE_MISMATCH',
      `${title}: expected whole images of ${shapeText(shape)} with one label each, got ${images.length} numbers and ${labels?.length ?? 'no'} labels`,
    );
  }
  checkLabels(labels, given.labelNames, undefined, title);
  const hash = createHash('sha256')
    .update(shape.join())
    .update(new Uint8Array(images.buffer, images.byteOffset, images.byteLength));
  if (labels) hash.update(new Uint8Array(labels.buffer, labels.byteOffset, labels.byteLength));
  const read = async (indices: ArrayLike<number>, out: Float32Array): Promise<void> => {
    checkRequest(title, count, shape, indices, out);
    for (let i = 0; i < indices.length; i++) {
      const start = (indices[i] ?? 0) * size;
      out.set(images.subarray(start, start + size), i * size);
    }
  };
  return {
    title,
    format: 'memory',
    count,
    shape,
    labels,
    labelNames: given.labelNames,
    fingerprint: hash.digest('hex'),
    read,
    close: async () => {},
  };
}

export interface ModelInput {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** Number of logits; undefined when it does not matter. */
  readonly classCount?: number | undefined;
  readonly labels: 'required' | 'optional' | 'unused';
}

/** Every reason why a set does not fit a model; empty when it does. */
export function checkFit(set: ImageSet, model: ModelInput): string[] {
  const [channels, height, width] = set.shape;
  const reasons: string[] = [];
  if (channels !== model.channels)
    reasons.push(
      `${set.title} has ${channels} channel${channels === 1 ? '' : 's'}, the model expects ${model.channels}`,
    );
  if (height !== model.height || width !== model.width)
    reasons.push(`${set.title} has images of ${height} × ${width}, the model expects ${model.height} × ${model.width}`);
  if (model.labels === 'unused') return reasons;
  if (!set.labels) {
    if (model.labels === 'required') reasons.push(`${set.title} has no labels, but labels are needed`);
    return reasons;
  }
  const { classCount } = model;
  if (classCount === undefined) return reasons;
  const bad = set.labels.findIndex((label) => label < 0 || label >= classCount);
  if (bad >= 0)
    reasons.push(
      `${set.title} has label ${set.labels[bad] ?? 0} (item ${grouped(bad)}), the model has ${classCount} classes (0 to ${classCount - 1})`,
    );
  return reasons;
}
