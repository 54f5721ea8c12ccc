import type { Rng } from '../base/rng.ts';
import type { ImageDims } from './preprocess.ts';

export interface AffineRanges {
  /** The content turns by an angle in [-rotationDegrees, rotationDegrees]. */
  readonly rotationDegrees: number;
  /** The content moves by up to this many pixels along each axis. */
  readonly translatePixels: number;
  /** The content grows by a factor in [scaleMin, scaleMax]. */
  readonly scaleMin: number;
  readonly scaleMax: number;
  readonly height: number;
  readonly width: number;
}

/** The rows of a 2 × 3 matrix that maps output to input positions (x, y, 1), both normalised to [-1, 1]. */
export type Theta = [number, number, number, number, number, number];

/**
 * A random view: rotation about the centre, scale, shift, each uniform in its range, drawn in this order. The result is
 * a theta: the rows of the 2 × 3 matrix that maps output to input positions (x, y, 1), both normalised to [-1, 1], as ONNX
 * AffineGrid and PyTorch's affine_grid take it with align_corners = 0.
 */
export function randomAffine(rng: Rng, ranges: AffineRanges): Theta {
  const angle = ((2 * rng.uniform() - 1) * ranges.rotationDegrees * Math.PI) / 180;
  const scale = ranges.scaleMin + (ranges.scaleMax - ranges.scaleMin) * rng.uniform();
  const shiftX = (2 * rng.uniform() - 1) * ranges.translatePixels;
  const shiftY = (2 * rng.uniform() - 1) * ranges.translatePixels;
  return affineTheta({ angle, scale, shiftX, shiftY }, ranges.height, ranges.width);
}

export interface Motion {
  /** Radians; positive turns the content clockwise on screen (y points down). */
  readonly angle: number;
  readonly scale: number;
  /** Pixels to the right and down. */
  readonly shiftX: number;
  readonly shiftY: number;
}

/**
 * The theta that shows the content moved: in pixels from the centre, input = R(-angle) (output - shift) / scale. Rotation
 * is in pixels, so it stays a rotation where height and width differ.
 */
export function affineTheta(motion: Motion, height: number, width: number): Theta {
  const cos = Math.cos(motion.angle) / motion.scale;
  const sin = Math.sin(motion.angle) / motion.scale;
  const offsetX = -(cos * motion.shiftX + sin * motion.shiftY);
  const offsetY = sin * motion.shiftX - cos * motion.shiftY;
  return [cos, (sin * height) / width, (2 * offsetX) / width, (-sin * width) / height, cos, (2 * offsetY) / height];
}

/**
 * Warps each image of [N, C, H, W] by its theta (`thetas` [N, 6]) into `out` of the same shape: bilinear, zero outside;
 * equal to GridSample(AffineGrid(theta)) with mode linear, padding zeros, align_corners = 0.
 */
export function warpAffine(images: Float32Array, dims: ImageDims, thetas: ArrayLike<number>, out: Float32Array): void {
  const [n, channels, height, width] = dims;
  const plane = height * width;
  for (let item = 0; item < n; item++) {
    const [a = 1, b = 0, c = 0, d = 0, e = 1, f = 0] = Array.from({ length: 6 }, (_, k) => thetas[6 * item + k]!);
    // The same map in pixels: x_in = xx · x + xy · y + x0 with pixel centres at whole numbers.
    const [xx, xy] = [a, (b * width) / height];
    const [yx, yy] = [(d * height) / width, e];
    const x0 = (width * (c + 1 + a * (1 / width - 1) + b * (1 / height - 1)) - 1) / 2;
    const y0 = (height * (f + 1 + d * (1 / width - 1) + e * (1 / height - 1)) - 1) / 2;
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const inX = xx * x + xy * y + x0;
        const inY = yx * x + yy * y + y0;
        const left = Math.floor(inX);
        const top = Math.floor(inY);
        const fx = inX - left;
        const fy = inY - top;
        // Corners outside the image have weight 0 and are read at a place that exists.
        const wx0 = left >= 0 && left < width ? 1 - fx : 0;
        const wx1 = left >= -1 && left < width - 1 ? fx : 0;
        const wy0 = top >= 0 && top < height ? 1 - fy : 0;
        const wy1 = top >= -1 && top < height - 1 ? fy : 0;
        const column0 = wx0 === 0 ? 0 : left;
        const column1 = wx1 === 0 ? 0 : left + 1;
        const row0 = wy0 === 0 ? 0 : top * width;
        const row1 = wy1 === 0 ? 0 : (top + 1) * width;
        for (let channel = 0; channel < channels; channel++) {
          const start = (item * channels + channel) * plane;
          out[start + y * width + x] =
            wy0 * (wx0 * images[start + row0 + column0]! + wx1 * images[start + row0 + column1]!) +
            wy1 * (wx0 * images[start + row1 + column0]! + wx1 * images[start + row1 + column1]!);
        }
      }
    }
  }
}
