import type { Rng } from '../base/rng.ts';

export interface SquareForm {
  /** [C, H, W]. */
  readonly shape: readonly [number, number, number];
  readonly bounds: readonly [number, number];
  readonly epsilon: number;
  /** Whether a square may cover the last row and column, as in the paper's algorithms, or never does, as released. */
  readonly reachesEdges: boolean;
}

/** Upper left corner of a square that fits into the image. */
export function drawCorner(
  { shape: [, height, width], reachesEdges }: SquareForm,
  side: number,
  rng: Rng,
): { readonly top: number; readonly left: number } {
  const places = (length: number): number => Math.max(1, length - side + Number(reachesEdges));
  return { top: rng.int(places(height)), left: rng.int(places(width)) };
}

const sign = (rng: Rng): number => (rng.uniform() < 0.5 ? -1 : 1);

/** A hill over height × width: rings that fall like 1/r², of length 1 (Andriushchenko et al. 2020, equation 4). */
function hill(height: number, width: number): Float64Array {
  const values = new Float64Array(height * width);
  const [middleY, middleX] = [Math.floor(height / 2), Math.floor(width / 2)];
  for (let ring = 0; ring < Math.max(middleY, middleX) + 1; ring++) {
    const [top, left] = [middleY - ring, middleX - ring];
    for (let y = Math.max(top, 0); y < Math.min(top + 2 * ring + 1, height); y++) {
      for (let x = Math.max(left, 0); x < Math.min(left + 2 * ring + 1, width); x++) {
        values[y * width + x]! += 1 / (ring + 1) ** 2;
      }
    }
  }
  return unit(values);
}

/** Two hills, one up and one down, one above or beside the other; of length 1. */
function bump(side: number, rng: Rng): Float64Array {
  const upper = Math.floor(side / 2);
  const values = new Float64Array(side * side);
  values.set(hill(upper, side));
  values.set(
    hill(side - upper, side).map((value) => -value),
    upper * side,
  );
  unit(values);
  if (rng.uniform() <= 0.5) return values;
  return values.map((_, i) => values[(i % side) * side + Math.floor(i / side)]!);
}

function unit(values: Float64Array): Float64Array {
  const length = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  if (length > 0) for (let i = 0; i < values.length; i++) values[i]! /= length;
  return values;
}

/** Bumps side by side over the whole image, on the sphere of radius ε. */
export function bumps(row: Float32Array, clean: Float32Array, form: SquareForm, rng: Rng): void {
  const [channels, height, width] = form.shape;
  const delta = new Float64Array(clean.length);
  const side = Math.max(1, Math.floor(Math.min(height, width) / 5));
  const first = Math.floor((Math.min(height, width) - side * 5) / 2);
  for (let top = first; top + side <= height; top += side) {
    for (let left = first; left + side <= width; left += side) {
      const pattern = bump(side, rng);
      for (let c = 0; c < channels; c++) {
        const up = sign(rng);
        pattern.forEach((value, i) => {
          const [y, x] = [top + Math.floor(i / side), left + (i % side)];
          delta[(c * height + y) * width + x]! += up * value;
        });
      }
    }
  }
  place(row, clean, delta, form);
}

/**
 * Takes the perturbation away from two windows and gives it back to the first one as a bump, mixed with what stood there, so
 * that the length is ε again.
 */
export function moveMass(row: Float32Array, clean: Float32Array, form: SquareForm, wanted: number, rng: Rng): void {
  const [channels, height, width] = form.shape;
  const most = Math.min(height, width);
  const odd = wanted % 2 === 0 ? wanted + 1 : wanted;
  const side = Math.min(odd, most % 2 === 0 ? most - 1 : most);
  const delta = Float64Array.from(row, (value, i) => value - clean[i]!);
  const [to, from] = [drawCorner(form, side, rng), drawCorner(form, side, rng)];
  const at = (c: number, y: number, x: number): number => (c * height + y) * width + x;
  const total = delta.reduce((sum, value) => sum + value * value, 0);
  let inWindows = 0;
  const covers = ({ top, left }: typeof to, y: number, x: number): boolean =>
    y >= top && y < top + side && x >= left && x < left + side;
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        if (covers(to, y, x) || covers(from, y, x)) inWindows += delta[at(c, y, x)]! ** 2;
      }
    }
  }
  const spare = Math.max(form.epsilon ** 2 - total, 0);
  const pattern = bump(side, rng);
  const news = Array.from({ length: channels }, (_, c) => {
    const old = new Float64Array(side * side);
    for (let i = 0; i < old.length; i++) old[i] = delta[at(c, to.top + Math.floor(i / side), to.left + (i % side))]!;
    unit(old);
    const up = sign(rng);
    const length = Math.sqrt(spare / channels + inWindows);
    return unit(old.map((value, i) => value + up * pattern[i]!)).map((value) => value * length);
  });
  for (let c = 0; c < channels; c++) {
    for (let y = from.top; y < from.top + side; y++) {
      for (let x = from.left; x < from.left + side; x++) delta[at(c, y, x)] = 0;
    }
    news[c]!.forEach((value, i) => {
      delta[at(c, to.top + Math.floor(i / side), to.left + (i % side))] = value;
    });
  }
  place(row, clean, delta, form);
}

/** The clean image plus δ scaled to length ε, in the box. */
function place(row: Float32Array, clean: Float32Array, delta: Float64Array, { epsilon, bounds }: SquareForm): void {
  unit(delta);
  for (let i = 0; i < row.length; i++) {
    row[i] = Math.min(Math.max(clean[i]! + epsilon * delta[i]!, bounds[0]), bounds[1]);
  }
}
