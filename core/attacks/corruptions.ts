import type { Rng } from '../base/rng.ts';
import { stream } from '../base/rng.ts';
import { topClass } from '../metrics/classification.ts';
import type { Victim } from './victim.ts';

/**
 * What happens to pictures without an attacker, at severities 1 to 5, in the spirit of Hendrycks & Dietterich 2019,
 * "Benchmarking neural network robustness to common corruptions and perturbations". Ours in detail: pixels are those of small
 * images between the bounds, so figures compare models here and not with their tables.
 */
export const corruptionKinds = [
  'gaussian-noise',
  'shot-noise',
  'impulse-noise',
  'speckle-noise',
  'blur',
  'motion-blur',
  'brightness',
  'contrast',
  'fog',
  'occlusion',
  'pixelate',
  'quantise',
  'shift',
  'rotate',
  'zoom',
] as const;
export type CorruptionKind = (typeof corruptionKinds)[number];
/** From hardly seen to hardly recognised. */
export type Severity = 1 | 2 | 3 | 4 | 5;

/** One image [C, H, W] in [0, 1], and what has become of it. */
interface Picture {
  readonly pixels: Float32Array;
  readonly shape: readonly [number, number, number];
}

type Corruption = (picture: Picture, severity: Severity, rng: Rng) => Float32Array;

const pick = (values: readonly [number, number, number, number, number], severity: Severity): number =>
  values[severity - 1] ?? values[0];

/** Reads a pixel; outside is black. */
function at({ pixels, shape: [, height, width] }: Picture, c: number, y: number, x: number): number {
  return y < 0 || x < 0 || y >= height || x >= width ? 0 : pixels[(c * height + y) * width + x]!;
}

function bilinear(picture: Picture, c: number, y: number, x: number): number {
  const [top, left] = [Math.floor(y), Math.floor(x)];
  const [v, u] = [y - top, x - left];
  const upper = (1 - u) * at(picture, c, top, left) + u * at(picture, c, top, left + 1);
  const lower = (1 - u) * at(picture, c, top + 1, left) + u * at(picture, c, top + 1, left + 1);
  return (1 - v) * upper + v * lower;
}

/** Each pixel by itself. */
const pointwise =
  (change: (value: number, severity: Severity, rng: Rng) => number): Corruption =>
  ({ pixels }, severity, rng) =>
    pixels.map((value) => change(value, severity, rng));

/** Each pixel from a place in the picture. */
function resampled(picture: Picture, place: (y: number, x: number) => readonly [number, number]): Float32Array {
  const [channels, height, width] = picture.shape;
  const result = new Float32Array(picture.pixels.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fromY, fromX] = place(y, x);
      for (let c = 0; c < channels; c++) result[(c * height + y) * width + x] = bilinear(picture, c, fromY, fromX);
    }
  }
  return result;
}

/** A line of weights along rows or columns. */
function filtered(picture: Picture, weights: readonly number[], isVertical: boolean): Float32Array {
  const [channels, height, width] = picture.shape;
  const half = (weights.length - 1) / 2;
  const result = new Float32Array(picture.pixels.length);
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        weights.forEach((weight, i) => {
          sum += weight * (isVertical ? at(picture, c, y + i - half, x) : at(picture, c, y, x + i - half));
        });
        result[(c * height + y) * width + x] = sum;
      }
    }
  }
  return result;
}

function gaussian(sigma: number): number[] {
  const half = Math.max(1, Math.ceil(3 * sigma));
  const line = Array.from({ length: 2 * half + 1 }, (_, i) => Math.exp(-0.5 * ((i - half) / sigma) ** 2));
  const sum = line.reduce((a, b) => a + b, 0);
  return line.map((weight) => weight / sum);
}

/** A Poisson number by Knuth's product; the means here are small. */
function poisson(rng: Rng, mean: number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = rng.uniform(); product > limit; product *= rng.uniform()) count++;
  return count;
}

const average = (values: Float32Array): number => values.reduce((a, b) => a + b, 0) / values.length;

const corruptions: Readonly<Record<CorruptionKind, Corruption>> = {
  'gaussian-noise': pointwise(
    (value, severity, rng) => value + pick([0.08, 0.12, 0.18, 0.26, 0.38], severity) * rng.normal(),
  ),
  'shot-noise': pointwise((value, severity, rng) => {
    const photons = pick([60, 25, 12, 5, 3], severity);
    return poisson(rng, Math.max(0, value) * photons) / photons;
  }),
  'impulse-noise': pointwise((value, severity, rng) => {
    const share = pick([0.03, 0.06, 0.09, 0.17, 0.27], severity);
    const draw = rng.uniform();
    return draw < share / 2 ? 0 : draw < share ? 1 : value;
  }),
  'speckle-noise': pointwise(
    (value, severity, rng) => value * (1 + pick([0.15, 0.2, 0.35, 0.45, 0.6], severity) * rng.normal()),
  ),
  blur: (picture, severity) => {
    const weights = gaussian(pick([0.5, 0.8, 1.1, 1.5, 2], severity));
    const pixels = filtered(picture, weights, false);
    return filtered({ ...picture, pixels }, weights, true);
  },
  'motion-blur': (picture, severity, rng) => {
    const length = pick([3, 3, 5, 7, 9], severity);
    const weights = Array.from({ length }, () => 1 / length);
    return filtered(picture, weights, rng.uniform() < 0.5);
  },
  brightness: pointwise((value, severity) => value + pick([0.1, 0.2, 0.3, 0.4, 0.5], severity)),
  contrast: ({ pixels }, severity) => {
    const middle = average(pixels);
    return pixels.map((value) => middle + pick([0.6, 0.45, 0.3, 0.2, 0.1], severity) * (value - middle));
  },
  fog: ({ pixels, shape: [, height, width] }, severity, rng) => {
    const thickness = pick([0.25, 0.4, 0.55, 0.7, 0.85], severity);
    const [phaseY, phaseX] = [rng.uniform() * 6.3, rng.uniform() * 6.3];
    return pixels.map((value, i) => {
      const [y, x] = [Math.floor(i / width) % height, i % width];
      const haze = 0.5 + 0.25 * (Math.sin((4 * y) / height + phaseY) + Math.sin((4 * x) / width + phaseX));
      return (value + thickness * haze) / (1 + thickness);
    });
  },
  occlusion: ({ pixels, shape: [, height, width] }, severity, rng) => {
    const side = Math.max(1, Math.round(pick([0.15, 0.2, 0.3, 0.4, 0.5], severity) * Math.min(height, width)));
    const [top, left] = [rng.int(height - side + 1), rng.int(width - side + 1)];
    return pixels.map((value, i) => {
      const [y, x] = [Math.floor(i / width) % height, i % width];
      return y >= top && y < top + side && x >= left && x < left + side ? 0.5 : value;
    });
  },
  pixelate: ({ pixels, shape: [, height, width] }, severity) => {
    const block = pick([2, 2, 3, 4, 5], severity);
    return pixels.map((_, i) => {
      const [plane, y, x] = [Math.floor(i / (height * width)), Math.floor(i / width) % height, i % width];
      const [top, left] = [y - (y % block), x - (x % block)];
      let [sum, count] = [0, 0];
      for (let v = top; v < Math.min(top + block, height); v++) {
        for (let u = left; u < Math.min(left + block, width); u++) {
          sum += pixels[(plane * height + v) * width + u]!;
          count++;
        }
      }
      return sum / count;
    });
  },
  quantise: pointwise((value, severity) => {
    const levels = pick([15, 7, 4, 2, 1], severity);
    return Math.round(value * levels) / levels;
  }),
  shift: (picture, severity, rng) => {
    const most = pick([1, 2, 3, 4, 5], severity);
    const [down, right] = [most * (2 * rng.uniform() - 1), most * (2 * rng.uniform() - 1)];
    return resampled(picture, (y, x) => [y - down, x - right]);
  },
  rotate: (picture, severity, rng) => {
    const degrees = pick([8, 15, 22, 30, 40], severity) * (rng.uniform() < 0.5 ? -1 : 1);
    return turned(picture, (degrees * Math.PI) / 180, 1);
  },
  zoom: (picture, severity, rng) => {
    const factor = pick([1.1, 1.2, 1.3, 1.45, 1.6], severity);
    return turned(picture, 0, rng.uniform() < 0.5 ? factor : 1 / factor);
  },
};

function turned(picture: Picture, angle: number, scale: number): Float32Array {
  const [, height, width] = picture.shape;
  const [middleY, middleX] = [(height - 1) / 2, (width - 1) / 2];
  const [cosine, sine] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  return resampled(picture, (y, x) => [
    middleY + cosine * (y - middleY) - sine * (x - middleX),
    middleX + sine * (y - middleY) + cosine * (x - middleX),
  ]);
}

/** Images [N, C, H, W] within `bounds`, corrupted; the same for the same seed, number of the image, kind and severity. */
export function corruptImages(
  images: Float32Array,
  shape: readonly [number, number, number],
  [low, high]: readonly [number, number],
  kind: CorruptionKind,
  severity: Severity,
  indices: ArrayLike<number>,
  seed: number,
): Float32Array<ArrayBuffer> {
  const size = shape[0] * shape[1] * shape[2];
  const result = new Float32Array(images.length);
  for (let i = 0; i < images.length / size; i++) {
    const pixels = images.slice(i * size, (i + 1) * size).map((value) => (value - low) / (high - low));
    const rng = stream(seed, 'corruption', kind, severity, indices[i] ?? i);
    const changed = corruptions[kind]({ pixels, shape }, severity, rng);
    for (let j = 0; j < size; j++) {
      result[i * size + j] = Math.min(Math.max(low + (high - low) * changed[j]!, low), high);
    }
  }
  return result;
}

/** Whether the model is right on each image under a corruption: a control that no attacker is needed for. */
export async function rightUnderCorruption(
  victim: Victim,
  images: Float32Array,
  labels: ArrayLike<number>,
  corruption: { readonly kind: CorruptionKind; readonly severity: Severity },
  { indices, seed }: { readonly indices: ArrayLike<number>; readonly seed: number },
): Promise<boolean[]> {
  const { kind, severity } = corruption;
  const changed = corruptImages(images, victim.model.shape, victim.bounds, kind, severity, indices, seed);
  const logits = await victim.logits(changed);
  return Array.from(labels, (label, i) => topClass(logits, i, victim.classes) === label);
}
