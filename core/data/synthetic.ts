import { WorkbenchError } from '../base/errors.ts';
import { stream, type Rng } from '../base/rng.ts';
import { memorySet, type ImageSet } from './dataset.ts';
import { drawEllipse, drawPath, drawPolygon, type Plane, type Point } from './drawing.ts';
import {
  blobs,
  checkerboard,
  gabor,
  gaussianNoise,
  gradient,
  pinkNoise,
  smoothNoise,
  uniformNoise,
  type Field,
} from './fields.ts';
import type { ItemShape } from './pixels.ts';
import type { ImageDims } from './preprocess.ts';
import { arcs, curves, ellipses, lines, mixedShapes, polygons, sparseStrokes, textures } from './shapes.ts';

/** Seeded images that come from no data set: pools for arbitrary transfer sets, controls, and tests. */

export const noiseKinds = [
  'uniform',
  'gaussian',
  'smooth',
  'pink',
  'sparse-strokes',
  'gradient',
  'gabor',
  'checkerboard',
  'blobs',
] as const;
export const shapeKinds = ['polygons', 'ellipses', 'arcs', 'lines', 'curves', 'mixed-shapes', 'textures'] as const;
export const syntheticKinds = [...noiseKinds, ...shapeKinds] as const;
export type SyntheticKind = (typeof syntheticKinds)[number];

const fields: Readonly<Record<SyntheticKind, Field>> = {
  uniform: uniformNoise,
  gaussian: gaussianNoise,
  smooth: smoothNoise,
  pink: pinkNoise,
  'sparse-strokes': sparseStrokes,
  gradient,
  gabor,
  checkerboard,
  blobs,
  polygons,
  ellipses,
  arcs,
  lines,
  curves,
  'mixed-shapes': mixedShapes,
  textures,
};

/**
 * One image of a kind, [C, H, W] in [0, 1], into `out`. With several channels, uniform and Gaussian noise are independent
 * in each; other kinds are independent half of the time, else one plane between two random colours.
 */
export function syntheticImage(kind: SyntheticKind, rng: Rng, out: Float32Array, dims: ItemShape): void {
  const [channels, height, width] = dims;
  const plane = height * width;
  if (out.length !== channels * plane)
    throw new WorkbenchError(
      'SHAPE_MISMATCH',
      `Synthetic image of [${dims.join(', ')}]: expected room for ${channels * plane} numbers, got ${out.length}`,
    );
  const field = fields[kind];
  const isTinted = channels > 1 && kind !== 'uniform' && kind !== 'gaussian' && rng.uniform() < 0.5;
  if (!isTinted) {
    for (let c = 0; c < channels; c++) field(rng, out.subarray(c * plane, (c + 1) * plane), height, width);
    return;
  }
  const shade = new Float32Array(plane);
  field(rng, shade, height, width);
  for (let c = 0; c < channels; c++) {
    const [from, to] = [rng.uniform(), rng.uniform()];
    for (let p = 0; p < plane; p++) out[c * plane + p] = from + (to - from) * shade[p]!;
  }
}

/** One image of a kind drawn at random from the noise families. */
export function mixedNoise(rng: Rng, out: Float32Array, dims: ItemShape): void {
  syntheticImage(noiseKinds[rng.int(noiseKinds.length)] ?? 'uniform', rng, out, dims);
}

/**
 * Images `first` … first + N - 1 of an endless pool over the given kinds, into `out` [N, C, H, W]. Image i depends on the
 * seed, the kinds and i alone, so a pool can be scanned in pieces of any size.
 */
export function fillSynthetic(
  kinds: readonly SyntheticKind[],
  seed: number,
  first: number,
  out: Float32Array,
  dims: ImageDims,
): void {
  const [n, c, h, w] = dims;
  const size = c * h * w;
  for (let i = 0; i < n; i++) {
    const rng = stream(seed, 'synthetic', first + i);
    const kind = kinds[rng.int(kinds.length)];
    if (kind === undefined)
      throw new WorkbenchError('PARAM_INVALID', 'Synthetic pool: expected at least one kind of image, got none', {
        hint: `Choose from ${syntheticKinds.join(', ')}.`,
      });
    syntheticImage(kind, rng, out.subarray(i * size, (i + 1) * size), [c, h, w]);
  }
}

/** Drawings in the square [0, 1] × [0, 1]; `at` turns them into pixels. */
const tinyClasses: readonly {
  readonly name: string;
  readonly draw: (plane: Plane, at: (x: number, y: number) => Point, pen: number, value: number) => void;
}[] = [
  {
    name: 'horizontal',
    draw: (plane, at, pen, value) => drawPath(plane, [at(0, 0.5), at(1, 0.5)], pen, { value, softness: 1 }),
  },
  {
    name: 'vertical',
    draw: (plane, at, pen, value) => drawPath(plane, [at(0.5, 0), at(0.5, 1)], pen, { value, softness: 1 }),
  },
  { name: 'disc', draw: (plane, at, _pen, value) => drawRound(plane, at, value, undefined) },
  {
    name: 'frame',
    draw: (plane, at, pen, value) =>
      drawPath(plane, [at(0, 0), at(1, 0), at(1, 1), at(0, 1), at(0, 0)], pen, { value, softness: 1 }),
  },
  {
    name: 'falling',
    draw: (plane, at, pen, value) => drawPath(plane, [at(0, 0), at(1, 1)], pen, { value, softness: 1 }),
  },
  {
    name: 'rising',
    draw: (plane, at, pen, value) => drawPath(plane, [at(0, 1), at(1, 0)], pen, { value, softness: 1 }),
  },
  {
    name: 'plus',
    draw: (plane, at, pen, value) =>
      [
        [at(0, 0.5), at(1, 0.5)],
        [at(0.5, 0), at(0.5, 1)],
      ].forEach((path) => drawPath(plane, path, pen, { value, softness: 1 })),
  },
  {
    name: 'cross',
    draw: (plane, at, pen, value) =>
      [
        [at(0, 0), at(1, 1)],
        [at(0, 1), at(1, 0)],
      ].forEach((path) => drawPath(plane, path, pen, { value, softness: 1 })),
  },
  {
    name: 'triangle',
    draw: (plane, at, _pen, value) => drawPolygon(plane, [at(0.5, 0), at(1, 1), at(0, 1)], { value, softness: 1 }),
  },
  { name: 'ring', draw: (plane, at, pen, value) => drawRound(plane, at, value, pen) },
];

function drawRound(
  plane: Plane,
  at: (x: number, y: number) => Point,
  value: number,
  lineWidth: number | undefined,
): void {
  const [left, centre, top] = [at(0, 0.5)[0], at(0.5, 0.5), at(0.5, 0)[1]];
  drawEllipse(
    plane,
    { centre, radiusX: centre[0] - left, radiusY: centre[1] - top, angle: 0 },
    { value, softness: 1 },
    lineWidth,
  );
}

export interface TinyShapes {
  /** [N, C, H, W] in [0, 1]. */
  readonly images: Float32Array<ArrayBuffer>;
  /** [N]; classes come in turn, so they are balanced. */
  readonly labels: Int32Array<ArrayBuffer>;
  readonly labelNames: readonly string[];
}

/**
 * A labelled set that a small network learns in seconds: one bright drawing for each class, with random place, size,
 * intensity and noise. Item i depends on the seed and i alone. From 8 × 8 pixels up; 2 to 10 classes.
 */
export function tinyShapes(seed: number, count: number, dims: ItemShape, classCount = 4): TinyShapes {
  const [channels, height, width] = dims;
  const plane = height * width;
  const classes = tinyClasses.slice(0, classCount);
  if (classes.length !== classCount || classCount < 2)
    throw new WorkbenchError(
      'PARAM_INVALID',
      `Tiny shapes: expected 2 to ${tinyClasses.length} classes, got ${classCount}`,
    );
  const images = new Float32Array(count * channels * plane);
  const labels = Int32Array.from({ length: count }, (_, i) => i % classCount);
  for (let i = 0; i < count; i++) {
    const rng = stream(seed, 'tiny-shapes', i);
    const base = new Float32Array(plane);
    const size = (0.5 + 0.2 * rng.uniform()) * Math.min(height, width);
    const left = (width - size) * (0.3 + 0.4 * rng.uniform());
    const top = (height - size) * (0.3 + 0.4 * rng.uniform());
    const pen = Math.max(1.2, size * 0.16);
    const at = (x: number, y: number): Point => [left + x * size, top + y * size];
    classes[labels[i] ?? 0]?.draw({ data: base, height, width }, at, pen, 0.7 + 0.3 * rng.uniform());
    for (let c = 0; c < channels; c++) {
      for (let p = 0; p < plane; p++)
        images[(i * channels + c) * plane + p] = Math.min(1, Math.max(0, base[p]! + 0.05 * rng.normal()));
    }
  }
  return { images, labels, labelNames: classes.map(({ name }) => name) };
}

/** `tinyShapes` as an image set in memory. */
export function tinyShapesSet(seed: number, count: number, dims: ItemShape, classCount = 4): ImageSet {
  return memorySet({ title: `tiny shapes (seed ${seed})`, shape: dims, ...tinyShapes(seed, count, dims, classCount) });
}
