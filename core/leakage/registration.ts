/**
 * Registration of pictures onto a common one, for the group consistency of See through Gradients (Yin et al. 2021): the
 * restarts of an attack show the same thing at slightly different places. The paper matches features of a trained
 * network (RANSAC-Flow); this does without one: a shift by correlation on a pyramid, then an affine map by least squares (Lucas
 * and Kanade 1981), each kept only where it brings the picture closer.
 */

export const registrationKinds = ['none', 'affine'] as const;
export type RegistrationKind = (typeof registrationKinds)[number];

type ItemShape = readonly [channels: number, height: number, width: number];

/** x' = a x + b y + c, y' = d x + e y + f, in pixels from the middle of the picture. */
type Affine = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

interface Plane {
  readonly data: Float64Array;
  readonly height: number;
  readonly width: number;
}

/**
 * The mean that a group is pulled to: of the candidates [N, C, H, W] as they are, or of each registered onto that mean, picture
 * by picture.
 */
export function groupMean(
  candidates: readonly Float32Array[],
  shape: ItemShape,
  kind: RegistrationKind,
): Float32Array<ArrayBuffer> {
  const plain = meanOf(candidates);
  if (kind === 'none') return plain;
  const size = shape[0] * shape[1] * shape[2];
  const registered = candidates.map((candidate) => {
    const out = new Float32Array(candidate.length);
    for (let at = 0; at < out.length; at += size) {
      out.set(register(candidate.subarray(at, at + size), plain.subarray(at, at + size), shape), at);
    }
    return out;
  });
  return meanOf(registered);
}

function meanOf(all: readonly Float32Array[]): Float32Array<ArrayBuffer> {
  const mean = new Float32Array(all[0]?.length ?? 0);
  for (const pixels of all) for (let i = 0; i < mean.length; i++) mean[i]! += pixels[i]! / all.length;
  return mean;
}

/** `moving` [C, H, W] mapped so that it lies on `target`; pixels from beyond its border repeat the border. */
export function register(moving: Float32Array, target: Float32Array, shape: ItemShape): Float32Array<ArrayBuffer> {
  const [from, onto] = [greyOf(moving, shape), greyOf(target, shape)];
  const reach = Math.floor(Math.min(shape[1], shape[2]) / 8);
  const [dx, dy] = bestShift(from, onto, reach);
  const start: Affine = [1, 0, dx, 0, 1, dy];
  const best = refine(from, onto, errorOf(from, onto, start) < errorOf(from, onto, identity) ? start : identity, reach);
  const out = new Float32Array(moving.length);
  const plane = shape[1] * shape[2];
  for (let at = 0; at < out.length; at += plane) {
    const channel = { ...from, data: Float64Array.from(moving.subarray(at, at + plane)) };
    out.set(warp(channel, best).data, at);
  }
  return out;
}

const identity: Affine = [1, 0, 0, 0, 1, 0];

function greyOf(image: Float32Array, [channels, height, width]: ItemShape): Plane {
  const plane = height * width;
  const data = new Float64Array(plane);
  for (let i = 0; i < image.length; i++) data[i % plane]! += image[i]! / channels;
  return { data, height, width };
}

const coarsest = 32;

/** The shift, at most `reach` each way, of the highest correlation where both pictures are: searched on halved ones first. */
function bestShift(from: Plane, onto: Plane, reach: number): readonly [number, number] {
  const isSmall = Math.min(from.height, from.width) <= coarsest;
  const [middleX, middleY] = isSmall
    ? [0, 0]
    : bestShift(halved(from), halved(onto), Math.floor(reach / 2)).map((shift) => 2 * shift);
  const around = isSmall ? reach : 1;
  let best: readonly [number, number] = [0, 0];
  let highest = -Infinity;
  for (let dy = -around; dy <= around; dy++) {
    for (let dx = -around; dx <= around; dx++) {
      const shift = [(middleX ?? 0) + dx, (middleY ?? 0) + dy] as const;
      const own = correlation(from, onto, ...shift);
      // Of equals the smaller shift.
      if (own < highest || (own === highest && Math.hypot(...shift) >= Math.hypot(...best))) continue;
      [best, highest] = [shift, own];
    }
  }
  return best;
}

function halved({ data, height, width }: Plane): Plane {
  const [h, w] = [Math.floor(height / 2), Math.floor(width / 2)];
  const out = new Float64Array(h * w);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const at = 2 * y * width + 2 * x;
      out[y * w + x] = (data[at]! + data[at + 1]! + data[at + width]! + data[at + width + 1]!) / 4;
    }
  }
  return { data: out, height: h, width: w };
}

/** Pearson's, over the pixels where `onto` (x, y) and `from` (x + dx, y + dy) both are; 0 for flat pictures. */
function correlation(from: Plane, onto: Plane, dx: number, dy: number): number {
  const { height, width } = onto;
  let [count, sumA, sumB, sumAA, sumBB, sumAB] = [0, 0, 0, 0, 0, 0];
  for (let y = Math.max(0, -dy); y < Math.min(height, height - dy); y++) {
    for (let x = Math.max(0, -dx); x < Math.min(width, width - dx); x++) {
      const [a, b] = [from.data[(y + dy) * width + x + dx]!, onto.data[y * width + x]!];
      count++;
      sumA += a;
      sumB += b;
      sumAA += a * a;
      sumBB += b * b;
      sumAB += a * b;
    }
  }
  const spread = (sumAA - (sumA * sumA) / count) * (sumBB - (sumB * sumB) / count);
  return count === 0 || spread <= 1e-20 ? 0 : (sumAB - (sumA * sumB) / count) / Math.sqrt(spread);
}

/** What lies at a place that need not be a whole number; the border goes on for ever. */
function sampleAt({ data, height, width }: Plane, x: number, y: number): number {
  const [cx, cy] = [Math.min(Math.max(x, 0), width - 1), Math.min(Math.max(y, 0), height - 1)];
  const [x0, y0] = [Math.min(Math.floor(cx), width - 2), Math.min(Math.floor(cy), height - 2)];
  const [left, top] = [Math.max(0, x0), Math.max(0, y0)];
  const [right, bottom] = [Math.min(left + 1, width - 1), Math.min(top + 1, height - 1)];
  const [u, v] = [cx - left, cy - top];
  const row = (y1: number): number => (1 - u) * data[y1 * width + left]! + u * data[y1 * width + right]!;
  return (1 - v) * row(top) + v * row(bottom);
}

function warp(from: Plane, [a, b, c, d, e, f]: Affine): Plane {
  const { height, width } = from;
  const [mx, my] = [(width - 1) / 2, (height - 1) / 2];
  const data = new Float64Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [u, v] = [x - mx, y - my];
      data[y * width + x] = sampleAt(from, a * u + b * v + c + mx, d * u + e * v + f + my);
    }
  }
  return { data, height, width };
}

function errorOf(from: Plane, onto: Plane, map: Affine): number {
  const { data } = warp(from, map);
  return data.reduce((sum, value, i) => sum + (value - onto.data[i]!) ** 2, 0);
}

const iterations = 12;

/** Gauss–Newton on the squared difference over the six numbers of an affine map; no corner moves further than twice `reach`. */
function refine(from: Plane, onto: Plane, start: Affine, reach: number): Affine {
  let best = start;
  let least = errorOf(from, onto, start);
  for (let i = 0; i < iterations; i++) {
    const step = gaussNewtonStep(from, onto, best);
    if (!step) break;
    const next = best.map((value, k) => value + (step[k] ?? 0));
    const [a = 1, b = 0, c = 0, d = 0, e = 1, f = 0] = next;
    const moved: Affine = [a, b, c, d, e, f];
    const error = errorOf(from, onto, moved);
    if (!(error < least) || farthest(moved, from) > 2 * reach) break;
    const gain = least - error;
    [best, least] = [moved, error];
    if (gain < 1e-6 * least) break;
  }
  return best;
}

/** How far a map moves a corner, in pixels. */
function farthest([a, b, c, d, e, f]: Affine, { height, width }: Plane): number {
  const [mx, my] = [(width - 1) / 2, (height - 1) / 2];
  const corners = [-mx, mx].flatMap((u) => [-my, my].map((v) => [u, v] as const));
  return Math.max(...corners.map(([u, v]) => Math.hypot((a - 1) * u + b * v + c, d * u + (e - 1) * v + f)));
}

function gaussNewtonStep(from: Plane, onto: Plane, map: Affine): readonly number[] | undefined {
  const { height, width } = from;
  const warped = warp(from, map);
  const [mx, my] = [(width - 1) / 2, (height - 1) / 2];
  const normal = new Float64Array(36);
  const right = new Float64Array(6);
  const row = new Float64Array(6);
  for (let y = 1; y < height - 1; y++) {
    for (let x = 1; x < width - 1; x++) {
      const at = y * width + x;
      const dx = (warped.data[at + 1]! - warped.data[at - 1]!) / 2;
      const dy = (warped.data[at + width]! - warped.data[at - width]!) / 2;
      const [u, v] = [x - mx, y - my];
      row.set([dx * u, dx * v, dx, dy * u, dy * v, dy]);
      const gap = onto.data[at]! - warped.data[at]!;
      for (let i = 0; i < 6; i++) {
        right[i]! += row[i]! * gap;
        for (let j = 0; j < 6; j++) normal[i * 6 + j]! += row[i]! * row[j]!;
      }
    }
  }
  return solve(normal, right);
}

/** Six equations by elimination with pivots; undefined where they do not fix the six numbers, as on a flat picture. */
function solve(matrix: Float64Array, right: Float64Array): readonly number[] | undefined {
  const n = right.length;
  const scale = matrix.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let k = 0; k < n; k++) {
    let pivot = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(matrix[i * n + k]!) > Math.abs(matrix[pivot * n + k]!)) pivot = i;
    if (Math.abs(matrix[pivot * n + k]!) <= 1e-12 * scale) return undefined;
    for (let j = 0; j < n; j++) {
      const kept = matrix[k * n + j]!;
      matrix[k * n + j] = matrix[pivot * n + j]!;
      matrix[pivot * n + j] = kept;
    }
    [right[k], right[pivot]] = [right[pivot]!, right[k]!];
    for (let i = k + 1; i < n; i++) {
      const factor = matrix[i * n + k]! / matrix[k * n + k]!;
      for (let j = k; j < n; j++) matrix[i * n + j]! -= factor * matrix[k * n + j]!;
      right[i]! -= factor * right[k]!;
    }
  }
  const found = new Float64Array(n);
  for (let i = n - 1; i >= 0; i--) {
    let rest = right[i]!;
    for (let j = i + 1; j < n; j++) rest -= matrix[i * n + j]! * found[j]!;
    found[i] = rest / matrix[i * n + i]!;
  }
  return [...found];
}
