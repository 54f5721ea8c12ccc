import type { Norm } from './catalogue-kinds.ts';

/** Sizes of one perturbation, computed in float64 from what is really there. */
export interface PerturbationNorms {
  readonly linf: number;
  readonly l2: number;
  readonly l1: number;
  /** Pixels times channels that differ. */
  readonly l0: number;
}

/** How much more than epsilon a perturbation may be, in units of the bounds. */
export const ballTolerance = 1e-6;

/** Whether a perturbation measured in float64 lies in the ball. */
export const isInBall = (norms: PerturbationNorms, norm: Norm, epsilon: number): boolean =>
  norms[norm] <= epsilon + ballTolerance;

export function perturbationNorms(image: Float32Array, clean: Float32Array): PerturbationNorms {
  let [linf, squares, l1, l0] = [0, 0, 0, 0];
  for (let i = 0; i < clean.length; i++) {
    const d = Math.abs(image[i]! - clean[i]!);
    if (d === 0) continue;
    if (d > linf) linf = d;
    squares += d * d;
    l1 += d;
    l0++;
  }
  return { linf, l2: Math.sqrt(squares), l1, l0 };
}

/**
 * Brings an image into the ball of radius epsilon around `clean`, then into the box: clip (linf), scale (l2), nearest
 * point of ball and box together (l1), the largest changes only (l0). In place; epsilon may be Infinity. What float32
 * leaves outside the ball, where pixels are large beside epsilon, is rounded towards `clean`.
 */
export function projectRow(
  image: Float32Array,
  clean: Float32Array,
  norm: Norm,
  epsilon: number,
  [low, high]: readonly [number, number],
): void {
  if (epsilon !== Infinity) {
    if (norm === 'linf') {
      for (let i = 0; i < clean.length; i++) {
        image[i] = Math.min(Math.max(image[i]!, clean[i]! - epsilon), clean[i]! + epsilon);
      }
    } else if (norm === 'l2') scaleInto(image, clean, epsilon);
    else if (norm === 'l1') projectL1(image, clean, epsilon, [low, high]);
    else keepLargest(image, clean, Math.floor(epsilon));
  }
  for (let i = 0; i < image.length; i++) image[i] = Math.min(Math.max(image[i]!, low), high);
  if (norm !== 'l0' && !isInBall(perturbationNorms(image, clean), norm, epsilon))
    pullInside(image, clean, norm, epsilon);
}

/** Each pixel as close to `clean` as its share of the ball allows; between 200 and 255 float32 has steps of 1.5e-5. */
function pullInside(image: Float32Array, clean: Float32Array, norm: 'linf' | 'l2' | 'l1', epsilon: number): void {
  const scale = norm === 'linf' ? 1 : epsilon / perturbationNorms(image, clean)[norm];
  for (let i = 0; i < clean.length; i++) {
    const from = clean[i]!;
    const wanted = Math.min(scale * Math.abs(image[i]! - from), norm === 'linf' ? epsilon : Infinity);
    const sign = Math.sign(image[i]! - from);
    image[i] = from + sign * wanted;
    // At least one step of float32 and at most two.
    if (Math.abs(image[i]! - from) > wanted)
      image[i] = image[i]! - sign * 2 ** -23 * Math.max(Math.abs(image[i]!), Math.abs(from));
  }
}

function scaleInto(image: Float32Array, clean: Float32Array, epsilon: number): void {
  const { l2 } = perturbationNorms(image, clean);
  if (l2 <= epsilon) return;
  const scale = epsilon / l2;
  for (let i = 0; i < clean.length; i++) image[i] = clean[i]! + scale * (image[i]! - clean[i]!);
}

/**
 * The nearest point whose distance in l1 is at most epsilon and that lies in the box: |d| = clamp(|y| − λ, 0, room), λ by
 * bisection (Croce & Hein 2021, "Mind the box", proposition 2.1; they find λ by sorting).
 */
function projectL1(
  image: Float32Array,
  clean: Float32Array,
  epsilon: number,
  [low, high]: readonly [number, number],
): void {
  const size = clean.length;
  const wanted = new Float64Array(size);
  const room = new Float64Array(size);
  let total = 0;
  let largest = 0;
  for (let i = 0; i < size; i++) {
    const y = image[i]! - clean[i]!;
    wanted[i] = Math.abs(y);
    room[i] = Math.max(0, y >= 0 ? high - clean[i]! : clean[i]! - low);
    total += Math.min(wanted[i]!, room[i]!);
    if (wanted[i]! > largest) largest = wanted[i]!;
  }
  let lambda = 0;
  if (total > epsilon) {
    let [below, above] = [0, largest];
    for (let step = 0; step < 60; step++) {
      lambda = (below + above) / 2;
      let sum = 0;
      for (let i = 0; i < size; i++) sum += Math.max(0, Math.min(wanted[i]! - lambda, room[i]!));
      if (sum > epsilon) below = lambda;
      else above = lambda;
    }
    lambda = above;
  }
  for (let i = 0; i < size; i++) {
    const d = Math.max(0, Math.min(wanted[i]! - lambda, room[i]!));
    image[i] = clean[i]! + (image[i]! >= clean[i]! ? d : -d);
  }
}

function keepLargest(image: Float32Array, clean: Float32Array, count: number): void {
  const order = Array.from(clean.keys()).sort(
    (a, b) => Math.abs(image[b]! - clean[b]!) - Math.abs(image[a]! - clean[a]!),
  );
  for (const i of order.slice(count)) image[i] = clean[i]!;
}

/** Rows of `width` with the given numbers, one after the other. */
export function takeRows(rows: Float32Array, width: number, indices: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const taken = new Float32Array(indices.length * width);
  for (let i = 0; i < indices.length; i++) {
    taken.set(rows.subarray(indices[i]! * width, (indices[i]! + 1) * width), i * width);
  }
  return taken;
}
