import { WorkbenchError } from '../base/errors.ts';

function checkSame(a: ArrayLike<number>, b: ArrayLike<number>, expected: number): void {
  if (a.length === b.length && a.length === expected && expected > 0) return;
  throw new WorkbenchError(
    'SHAPE_MISMATCH',
    `Expected two images of ${expected} numbers, got ${a.length} and ${b.length}`,
  );
}

/** Mean of (a - b)² over all pixels. */
export function meanSquaredError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  checkSame(a, b, a.length);
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2;
  return sum / a.length;
}

/** Peak signal-to-noise ratio 10 log10(peak² / MSE) in decibels; Infinity for equal images. `peak` is the width of the value range. */
export function psnrDb(a: ArrayLike<number>, b: ArrayLike<number>, peak = 1): number {
  return 10 * Math.log10((peak * peak) / meanSquaredError(a, b));
}

/** The Gaussian window of Wang et al.: 11 wide, sigma 1.5, or narrower where the image is smaller. */
function window(size: number): Float64Array {
  const width = Math.min(11, size - ((size + 1) % 2));
  const kernel = Float64Array.from({ length: width }, (_, i) => Math.exp(-((i - (width - 1) / 2) ** 2) / 4.5));
  const total = kernel.reduce((sum, value) => sum + value, 0);
  return kernel.map((value) => value / total);
}

/** Weighted mean under the window at every place where it fits: [height - kh + 1, width - kw + 1]. */
function filter(plane: Float64Array, height: number, width: number): Float64Array {
  const [rows, columns] = [window(height), window(width)];
  const [outHeight, outWidth] = [height - rows.length + 1, width - columns.length + 1];
  const out = new Float64Array(outHeight * outWidth);
  const middle = new Float64Array(height * outWidth);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < outWidth; x++) {
      let sum = 0;
      for (let k = 0; k < columns.length; k++) sum += columns[k]! * plane[y * width + x + k]!;
      middle[y * outWidth + x] = sum;
    }
  }
  for (let y = 0; y < outHeight; y++) {
    for (let x = 0; x < outWidth; x++) {
      let sum = 0;
      for (let k = 0; k < rows.length; k++) sum += rows[k]! * middle[(y + k) * outWidth + x]!;
      out[y * outWidth + x] = sum;
    }
  }
  return out;
}

/**
 * Structural similarity of two images [C, H, W] (Wang, Bovik, Sheikh, Simoncelli 2004, eq. 13; K1 = 0.01, K2 = 0.03): mean
 * over places and channels, in [-1, 1], 1 for equal images. `peak` is the width of the value range.
 */
export function ssim(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  dims: readonly [number, number, number],
  peak = 1,
): number {
  const [channels, height, width] = dims;
  const size = height * width;
  checkSame(a, b, channels * size);
  const [c1, c2] = [(0.01 * peak) ** 2, (0.03 * peak) ** 2];
  let sum = 0;
  let places = 0;
  for (let c = 0; c < channels; c++) {
    const x = Float64Array.from({ length: size }, (_, i) => a[c * size + i]!);
    const y = Float64Array.from({ length: size }, (_, i) => b[c * size + i]!);
    const [mx, my] = [filter(x, height, width), filter(y, height, width)];
    const xx = filter(
      x.map((value) => value * value),
      height,
      width,
    );
    const yy = filter(
      y.map((value) => value * value),
      height,
      width,
    );
    const xy = filter(
      x.map((value, i) => value * y[i]!),
      height,
      width,
    );
    for (let i = 0; i < mx.length; i++) {
      const [p, q] = [mx[i]!, my[i]!];
      const covariance = xy[i]! - p * q;
      const variances = xx[i]! - p * p + yy[i]! - q * q;
      sum += ((2 * p * q + c1) * (2 * covariance + c2)) / ((p * p + q * q + c1) * (variances + c2));
    }
    places += mx.length;
  }
  return sum / places;
}
