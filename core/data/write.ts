import { zipSync, type Zippable } from 'fflate';
import sharp from 'sharp';
import { WorkbenchError } from '../base/errors.ts';
import { sizeOf, type DType, type Tensor } from '../base/tensor.ts';
import type { ImageDims } from './preprocess.ts';

export interface GridOptions {
  readonly columns: number;
  /** Whole pixels for one image pixel; 1 when absent. */
  readonly scale?: number | undefined;
  /** Pixels between images; 1 when absent. */
  readonly gap?: number | undefined;
  /** 'unit': [0, 1] is black to white, clamped. 'minmax': each image from its smallest to its largest value. */
  readonly range?: 'unit' | 'minmax' | undefined;
  /** Whether an image has been made; the place of one that has not stays clear, and so do the gaps then. */
  readonly isMade?: ((index: number) => boolean) | undefined;
  /** What is between the images; black when absent, unless one is missing. */
  readonly ground?: 'black' | 'transparent' | undefined;
}

/** A PNG of all images [N, C, H, W] (C is 1 or 3), row by row. */
export async function pngGrid(images: Float32Array, dims: ImageDims, options: GridOptions): Promise<Uint8Array> {
  const [n, channels, height, width] = dims;
  const { columns, scale = 1, gap = 1, range = 'unit', isMade = () => true, ground = 'black' } = options;
  if ((channels !== 1 && channels !== 3) || images.length !== sizeOf(dims) || n === 0 || columns < 1) {
    throw new WorkbenchError(
      'SHAPE_MISMATCH',
      `Image grid: expected [N, 1 or 3, H, W] in at least one column, got [${dims.join(', ')}] with ${images.length} numbers in ${columns}`,
    );
  }
  const across = Math.min(columns, n);
  const down = Math.ceil(n / across);
  const gridWidth = across * (width * scale + gap) - gap;
  const gridHeight = down * (height * scale + gap) - gap;
  // With one more channel, how opaque a pixel is, where the page is to show.
  const isWhole = Array.from({ length: across * down }, (_, i) => i < n && isMade(i)).every(Boolean);
  const isClear = ground === 'transparent' || (options.isMade !== undefined && !isWhole);
  const depth = !isClear ? channels : channels === 1 ? 2 : 4;
  const pixels = new Uint8Array(gridWidth * gridHeight * depth);
  const size = channels * height * width;
  for (let i = 0; i < n; i++) {
    if (!isMade(i)) continue;
    const image = images.subarray(i * size, (i + 1) * size);
    const corner = { x: (i % across) * (width * scale + gap), y: Math.floor(i / across) * (height * scale + gap) };
    const shown = toBytes(image, range);
    for (let y = 0; y < height * scale; y++) {
      for (let x = 0; x < width * scale; x++) {
        const from = Math.floor(y / scale) * width + Math.floor(x / scale);
        const to = ((corner.y + y) * gridWidth + corner.x + x) * depth;
        for (let c = 0; c < channels; c++) pixels[to + c] = shown[c * height * width + from]!;
        if (isClear) pixels[to + channels] = 255;
      }
    }
  }
  const raw = sharp(pixels, { raw: { width: gridWidth, height: gridHeight, channels: depth } });
  return new Uint8Array(
    await raw
      .toColourspace(channels === 1 ? 'b-w' : 'srgb')
      .png({ compressionLevel: 9 })
      .toBuffer(),
  );
}

function toBytes(image: Float32Array, range: 'unit' | 'minmax'): Uint8Array {
  let [low, high] = [0, 1];
  if (range === 'minmax') {
    low = image.reduce((a, b) => Math.min(a, b), Infinity);
    high = image.reduce((a, b) => Math.max(a, b), -Infinity);
  }
  const span = high > low ? high - low : 1;
  return Uint8Array.from(image, (value) => Math.round(255 * Math.min(1, Math.max(0, (value - low) / span))));
}

const descriptors: Readonly<Record<DType, string>> = {
  float32: '<f4',
  float64: '<f8',
  float16: '<f2',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  uint16: '<u2',
  uint32: '<u4',
  uint64: '<u8',
  bool: '|b1',
};

/** What a NumPy .npy file, version 1.0, begins with; the elements follow, at a multiple of 64 bytes. */
export function npyHeader(dtype: DType, dims: readonly number[]): Uint8Array<ArrayBuffer> {
  const shape = dims.length === 1 ? `(${dims[0] ?? 0},)` : `(${dims.join(', ')})`;
  const dictionary = `{'descr': '${descriptors[dtype]}', 'fortran_order': False, 'shape': ${shape}, }`;
  const headerLength = Math.ceil((10 + dictionary.length + 1) / 64) * 64 - 10;
  const out = new Uint8Array(10 + headerLength);
  out.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, headerLength & 255, headerLength >> 8]);
  out.set(new TextEncoder().encode(`${dictionary.padEnd(headerLength - 1)}\n`), 10);
  return out;
}

/** A NumPy .npy file. */
export function npyBytes({ dtype, dims, data }: Tensor): Uint8Array<ArrayBuffer> {
  const header = npyHeader(dtype, dims);
  const out = new Uint8Array(header.length + data.byteLength);
  out.set(header);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length);
  return out;
}

/** A NumPy .npz archive, not packed (as numpy.savez); the same tensors give the same bytes. */
export function npzBytes(tensors: Readonly<Record<string, Tensor>>): Uint8Array {
  const files: Zippable = {};
  for (const [name, value] of Object.entries(tensors)) files[`${name}.npy`] = npyBytes(value);
  return zipSync(files, { level: 0, mtime: new Date(1980, 0, 1) });
}
