import { WorkbenchError } from '../base/errors.ts';
import type { ImageSet } from './dataset.ts';

/** Pure functions that make images of one kind into another. Images are NCHW float32 in [0, 1]. */

/** N, C, H, W. */
export type ImageDims = readonly [number, number, number, number];

/** One output position along an axis: consecutive inputs from `first` with weights that sum to 1. */
interface Tap {
  readonly first: number;
  readonly weights: readonly number[];
}

/**
 * Shrinking averages over the covered input, fractions included; growing interpolates between pixel centres
 * (half-pixel centres, edges repeated), as PyTorch's interpolate does with align_corners = false.
 */
function taps(from: number, to: number): Tap[] {
  const ratio = from / to;
  return Array.from({ length: to }, (_, i) =>
    ratio > 1 ? areaTap(i * ratio, (i + 1) * ratio, from) : linearTap((i + 0.5) * ratio - 0.5, from),
  );
}

function areaTap(start: number, end: number, size: number): Tap {
  const first = Math.floor(start + 1e-9);
  const last = Math.min(size, Math.ceil(end - 1e-9));
  const covered = Array.from(
    { length: last - first },
    (_, k) => Math.min(end, first + k + 1) - Math.max(start, first + k),
  );
  const total = covered.reduce((a, b) => a + b, 0);
  return { first, weights: covered.map((weight) => weight / total) };
}

function linearTap(position: number, size: number): Tap {
  const clamped = Math.min(size - 1, Math.max(0, position));
  const first = Math.min(Math.floor(clamped), Math.max(0, size - 2));
  const share = clamped - first;
  return share === 0 ? { first, weights: [1] } : { first, weights: [1 - share, share] };
}

/** Resizes [N, C, H, W] to [N, C, height, width]: bilinear when growing, area average when shrinking, for each axis. */
export function resizeImages(
  images: Float32Array,
  dims: ImageDims,
  height: number,
  width: number,
): Float32Array<ArrayBuffer> {
  const [n, c, h, w] = dims;
  checkLength(images, dims);
  const [rows, columns] = [taps(h, height), taps(w, width)];
  const out = new Float32Array(n * c * height * width);
  const middle = new Float64Array(h * width);
  for (let plane = 0; plane < n * c; plane++) {
    for (let y = 0; y < h; y++) {
      const row = (plane * h + y) * w;
      for (let x = 0; x < width; x++) {
        const tap = columns[x]!;
        let sum = 0;
        for (let k = 0; k < tap.weights.length; k++) sum += tap.weights[k]! * images[row + tap.first + k]!;
        middle[y * width + x] = sum;
      }
    }
    for (let y = 0; y < height; y++) {
      const tap = rows[y]!;
      const target = (plane * height + y) * width;
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let k = 0; k < tap.weights.length; k++) sum += tap.weights[k]! * middle[(tap.first + k) * width + x]!;
        out[target + x] = sum;
      }
    }
  }
  return out;
}

function checkLength(images: Float32Array, dims: ImageDims): void {
  const expected = dims[0] * dims[1] * dims[2] * dims[3];
  if (images.length === expected) return;
  throw new WorkbenchError(
    'SHAPE_MISMATCH',
    `Images of shape [${dims.join(', ')}]: expected ${expected} numbers, got ${images.length}`,
  );
}

/** Luminance weights of ITU-R BT.601, on the stored (gamma-coded) values, as most image libraries use them. */
const luminance = [0.299, 0.587, 0.114] as const;

/**
 * Changes the number of channels: colour to grey by luminance, grey to any number by repetition, 4 to 3 or 1 by leaving
 * out the last channel. SHAPE_MISMATCH for other pairs.
 */
export function toChannels(images: Float32Array, dims: ImageDims, channels: number): Float32Array<ArrayBuffer> {
  const [n, c, h, w] = dims;
  checkLength(images, dims);
  if (c === channels) return images.slice();
  const isColour = c === 3 || c === 4;
  if (c !== 1 && !(isColour && (channels === 1 || channels === 3))) {
    throw new WorkbenchError(
      'SHAPE_MISMATCH',
      `Cannot turn ${c} channels into ${channels}: expected grey, RGB or RGBA`,
      { hint: 'Use images with the channels of the model.' },
    );
  }
  const plane = h * w;
  const out = new Float32Array(n * channels * plane);
  for (let item = 0; item < n; item++) {
    for (let k = 0; k < channels; k++) {
      const target = (item * channels + k) * plane;
      const start = item * c * plane;
      if (c === 1) out.set(images.subarray(start, start + plane), target);
      else if (channels === 3) out.set(images.subarray(start + k * plane, start + (k + 1) * plane), target);
      else
        for (let p = 0; p < plane; p++)
          out[target + p] =
            luminance[0] * images[start + p]! +
            luminance[1] * images[start + plane + p]! +
            luminance[2] * images[start + 2 * plane + p]!;
    }
  }
  return out;
}

/** 1 - x. */
export const invertImages = (images: Float32Array): Float32Array<ArrayBuffer> =>
  Float32Array.from(images, (value) => 1 - value);

export interface FitTarget {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  /** White on black instead of black on white. */
  readonly invert?: boolean | undefined;
}

/** Channels, then size, then inversion. Values stay in [0, 1]. Returns a new array [N, target.channels, target.height, target.width]. */
export function fitImages(images: Float32Array, dims: ImageDims, target: FitTarget): Float32Array<ArrayBuffer> {
  const [n, , h, w] = dims;
  let result = toChannels(images, dims, target.channels);
  if (h !== target.height || w !== target.width)
    result = resizeImages(result, [n, target.channels, h, w], target.height, target.width);
  return target.invert ? invertImages(result) : result;
}

/** The same set, fitted while it is read. The fingerprint stays that of the files. */
export function fitSet(set: ImageSet, target: FitTarget): ImageSet {
  const [c, h, w] = set.shape;
  const isSame = c === target.channels && h === target.height && w === target.width && !target.invert;
  if (isSame) return set;
  const read = async (indices: ArrayLike<number>, out: Float32Array): Promise<void> => {
    const raw = new Float32Array(indices.length * c * h * w);
    await set.read(indices, raw);
    out.set(fitImages(raw, [indices.length, c, h, w], target));
  };
  return { ...set, shape: [target.channels, target.height, target.width], read };
}
