import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { zipSync } from 'fflate';
import sharp from 'sharp';
import { WorkbenchError } from '../../base/errors.ts';
import { stream } from '../../base/rng.ts';
import { float32, int64, tensor } from '../../base/tensor.ts';
import { mutateBytes } from '../../base/testing/mutate-bytes.ts';
import { openDataset } from '../dataset.ts';
import { openSafetensors, safetensorsPieces } from '../safetensors.ts';
import { npyBytes, npzBytes } from '../write.ts';
import { dataRef, idxBytes, readItems } from './fixtures.ts';

/** A sound file of one format; its mutations are opened under the same name. */
export interface DataSeed {
  readonly title: string;
  /** In the folder that is opened. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** What else has to be in the folder. */
  readonly beside: Readonly<Record<string, Uint8Array>>;
}

const pixelBytes = Uint8Array.from({ length: 120 }, (_, i) => (i * 37) % 256);
const pixels = tensor('uint8', [4, 6, 5], pixelBytes);
const labels = int64([4], [0, 1, 2, 1]);
const unit = float32(
  [2, 3, 4, 4],
  Array.from({ length: 96 }, (_, i) => (i % 17) / 16),
);

/** Pictures of 6 × 5 in every format that is read. */
async function pictures(): Promise<DataSeed[]> {
  const data = Uint8Array.from({ length: 90 }, (_, i) => (i * 53) % 256);
  const image = () => sharp(data, { raw: { width: 5, height: 6, channels: 3 } });
  const made = {
    png: image().png(),
    jpeg: image().jpeg().withMetadata({ orientation: 6 }),
    webp: image().webp({ lossless: true }),
    tiff: image().tiff({ compression: 'lzw' }),
    gif: image().gif(),
  };
  return Promise.all(
    Object.entries(made).map(async ([format, picture]) => ({
      title: format,
      file: `a.${format}`,
      bytes: await picture.toBuffer(),
      beside: {},
    })),
  );
}

export async function dataSeeds(): Promise<readonly DataSeed[]> {
  const idx = idxBytes([4, 6, 5], pixelBytes);
  const members = { 'x_train.npy': npyBytes(unit), 'y_train.npy': npyBytes(int64([2], [3, 4])) };
  const imagesBeside = { 'images.npy': npyBytes(pixels) };
  const seed = (title: string, file: string, bytes: Uint8Array, beside: DataSeed['beside'] = {}): DataSeed => ({
    title,
    file,
    bytes,
    beside,
  });
  const table = new TextEncoder().encode('3,0.5,1,0.25,1e-1\n'.repeat(20));
  const named = new TextEncoder().encode('3;0;255;"17";9\r\n'.repeat(20));
  return [
    seed('npy', 'images.npy', npyBytes(pixels), { 'labels.npy': npyBytes(labels) }),
    seed('npy of floats', 'images.npy', npyBytes(unit)),
    seed('npy labels', 'labels.npy', npyBytes(labels), imagesBeside),
    seed('npz', 'a.npz', npzBytes({ images: pixels, labels })),
    seed('npz, packed', 'a.npz', zipSync(members, { level: 9 })),
    seed('IDX', 'train-images-idx3-ubyte', idx),
    seed('IDX, gzipped', 'train-images-idx3-ubyte.gz', gzipSync(idx)),
    seed('IDX labels', 'train-labels-idx1-ubyte', idxBytes([4], [0, 1, 2, 3]), { 'train-images-idx3-ubyte': idx }),
    seed('CSV', 'a.csv', table),
    seed('CSV with names', 'a.csv', Buffer.concat([new TextEncoder().encode('label;a;b;c;"d"\r\n'), named])),
    seed('CIFAR', 'data_batch_1.bin', new Uint8Array(2 * 3073).fill(3)),
    seed('label names', 'labels.txt', new TextEncoder().encode('cat\ndog\nbird\n'), {
      ...imagesBeside,
      'labels.npy': npyBytes(labels),
    }),
    seed('safetensors', 'a.safetensors', Buffer.concat(safetensorsPieces({ unit, labels, pixels }, { format: 'pt' }))),
    ...(await pictures()),
  ];
}

export type DataVerdict =
  | { readonly kind: 'read' }
  | { readonly kind: 'refused'; readonly code: string }
  /** What must not happen. */
  | { readonly kind: 'failed'; readonly error: unknown };

/** Opens a mutation of the seed in `folder`, which holds what has to be beside it, and reads the images or tensors. */
export async function tryMutant(seed: DataSeed, index: number, folder: string): Promise<DataVerdict> {
  const bytes = mutateBytes(seed.bytes, stream(index, 'fuzz-data', seed.title));
  await writeFile(join(folder, seed.file), bytes);
  try {
    if (seed.file.endsWith('.safetensors')) await readTensors(join(folder, seed.file));
    else await readImages(folder);
    return { kind: 'read' };
  } catch (error) {
    const isRefusal = error instanceof WorkbenchError && error.code.startsWith('DATA_');
    return isRefusal ? { kind: 'refused', code: error.code } : { kind: 'failed', error };
  }
}

async function readTensors(path: string): Promise<void> {
  const file = await openSafetensors(path);
  try {
    for (const name of file.entries.keys()) await file.read(name);
  } finally {
    await file.close();
  }
}

async function readImages(folder: string): Promise<void> {
  const set = await openDataset(dataRef(folder));
  try {
    const first = Array.from({ length: Math.min(set.count, 8) }, (_, i) => i);
    await readItems(set, [...first, set.count - 1]);
  } finally {
    await set.close();
  }
}
