import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { DataRef } from '../../contract/run.ts';
import type { ImageSet } from '../dataset.ts';

/** Tiny files for the tests of this folder. */

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'palimpsest-data-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function writeFiles(folder: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
}

export const dataRef = (path: string, more: Partial<DataRef> = {}): DataRef => ({
  path,
  format: 'auto',
  split: 'all',
  ...more,
});

export function idxBytes(dims: readonly number[], elements: ArrayLike<number>, type = 8): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * dims.length + elements.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(2, type);
  view.setUint8(3, dims.length);
  dims.forEach((dim, i) => view.setUint32(4 + 4 * i, dim));
  bytes.set(elements, 4 + 4 * dims.length);
  return bytes;
}

/** `count` images of 2 × 3 whose pixels count up from `first`. */
export const idxImages = (count: number, first = 0): Uint8Array =>
  idxBytes(
    [count, 2, 3],
    Array.from({ length: 6 * count }, (_, i) => (first + i) % 256),
  );

export async function readAll(set: ImageSet): Promise<Float32Array> {
  return readItems(
    set,
    Array.from({ length: set.count }, (_, i) => i),
  );
}

export async function readItems(set: ImageSet, indices: readonly number[]): Promise<Float32Array> {
  const [channels, height, width] = set.shape;
  const out = new Float32Array(indices.length * channels * height * width);
  await set.read(indices, out);
  return out;
}

/** Values to a byte again, for comparisons that a reader can follow. */
export const asBytes = (values: Float32Array): number[] => Array.from(values, (value) => Math.round(255 * value));

export const text = (value: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(value);

/** A .npy file with any header, sound or not. */
export function npy(header: string, data = new Uint8Array(0)): Uint8Array {
  const body = text(`${header}\n`);
  return Buffer.concat([
    Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, body.length & 255, body.length >> 8),
    body,
    data,
  ]);
}
