import { permutation, type Rng } from '../../base/rng.ts';

/** Which scanned images make up a transfer set. Pure; a position is the number of an image in the scan. */

export type ShortfallPolicy = 'cap' | 'repeat' | 'partial';

export interface ChosenSet {
  /** Positions, class by class; a repeated image comes several times. */
  readonly positions: Int32Array<ArrayBuffer>;
  /** Relative weight of each image's loss, mean 1; undefined when all weigh the same. */
  readonly weights: Float32Array<ArrayBuffer> | undefined;
  /** Images of each class, repeats counted [K]. */
  readonly histogram: readonly number[];
  /** Different images of each class [K]. */
  readonly distinct: readonly number[];
  /** What was done about short classes; 'none' when there was none. */
  readonly policy: ShortfallPolicy | 'none';
}

/** The repeat policy needs this share of a class's quota in different images (arbitrary-transfer-sets.md 4). */
const leastShareToRepeat = 0.1;

/** n_k = N/K for each of K classes; the first N mod K classes get one more. */
export const equalQuotas = (count: number, classes: number): number[] =>
  Array.from({ length: classes }, (_, k) => Math.floor(count / classes) + Number(k < count % classes));

/**
 * Shares proportional to rank^−s over the classes that occur, the most frequent first: rounded down, the rest of `count`
 * given to the largest.
 */
export function skewedQuotas(count: number, histogram: ArrayLike<number>, s: number): number[] {
  const ranked = Array.from({ length: histogram.length }, (_, k) => k)
    .filter((k) => histogram[k]! > 0)
    .toSorted((a, b) => histogram[b]! - histogram[a]! || a - b);
  const shares = ranked.map((_, rank) => (rank + 1) ** -s);
  const total = shares.reduce((a, b) => a + b, 0);
  const quotas = new Array<number>(histogram.length).fill(0);
  ranked.forEach((k, rank) => (quotas[k] = Math.floor((count * shares[rank]!) / total + 1e-9)));
  const [largest] = ranked;
  if (largest !== undefined) quotas[largest]! += count - quotas.reduce((a, b) => a + b, 0);
  return quotas;
}

/** Bucket fill: an image is taken while the bucket of its class is not full. Positions of each class, in scan order. */
export function fillBuckets(
  positions: Int32Array,
  labels: ArrayLike<number>,
  quotas: readonly number[],
): Int32Array<ArrayBuffer>[] {
  const buckets: number[][] = quotas.map(() => []);
  for (const position of positions) {
    const label = labels[position] ?? -1;
    const bucket = buckets[label];
    if (bucket && bucket.length < (quotas[label] ?? 0)) bucket.push(position);
  }
  return buckets.map((bucket) => Int32Array.from(bucket));
}

/**
 * Makes a set of filled buckets. Classes without any image are left out: nothing can stand in for them.
 *
 * - cap: every bucket shrinks to the same share of its quota, that of the shortest.
 * - repeat: each image comes equally often, some once more, until the quota is reached.
 * - partial: buckets stay short; an image of class k weighs quota_k / n_k.
 * - auto: repeat while the shortest bucket holds a tenth of its quota, else cap.
 */
export function settleShortfall(
  buckets: readonly Int32Array[],
  quotas: readonly number[],
  policy: ShortfallPolicy | 'auto',
  rng: Rng,
): ChosenSet {
  const shares = buckets.flatMap((bucket, k) => (bucket.length > 0 ? [bucket.length / (quotas[k] ?? 1)] : []));
  const shortest = Math.min(1, ...shares);
  const isShort = shortest < 1;
  const automatic = shortest >= leastShareToRepeat ? 'repeat' : 'cap';
  const done = isShort ? (policy === 'auto' ? automatic : policy) : 'none';
  const chosen = buckets.map((bucket, k): Int32Array => {
    const quota = quotas[k] ?? 0;
    if (bucket.length === 0) return bucket;
    if (done === 'cap') return bucket.slice(0, Math.max(1, Math.floor(quota * shortest + 1e-9)));
    return done === 'repeat' ? repeated(bucket, quota, rng) : bucket;
  });
  const positions = Int32Array.from(chosen.flatMap((bucket) => Array.from(bucket)));
  return {
    positions,
    weights: done === 'partial' ? classWeights(chosen, quotas) : undefined,
    histogram: chosen.map((bucket) => bucket.length),
    distinct: chosen.map((bucket) => new Set(bucket).size),
    policy: done,
  };
}

function repeated(bucket: Int32Array, count: number, rng: Rng): Int32Array {
  const out = new Int32Array(count);
  const whole = Math.floor(count / bucket.length) * bucket.length;
  for (let i = 0; i < whole; i++) out[i] = bucket[i % bucket.length]!;
  const extra = permutation(rng, bucket.length);
  for (let i = whole; i < count; i++) out[i] = bucket[extra[i - whole]!]!;
  return out;
}

function classWeights(buckets: readonly Int32Array[], quotas: readonly number[]): Float32Array<ArrayBuffer> {
  const raw = buckets.flatMap((bucket, k) => Array.from(bucket, () => (quotas[k] ?? 0) / bucket.length));
  const mean = raw.reduce((a, b) => a + b, 0) / raw.length;
  return Float32Array.from(raw, (weight) => weight / mean);
}

/** The first `count` positions; they come round again when there are fewer. */
export function takeFirst(positions: Int32Array, count: number, labels: ArrayLike<number>, classes: number): ChosenSet {
  const taken = Int32Array.from({ length: count }, (_, i) => positions[i % positions.length] ?? 0);
  const countBy = (list: Iterable<number>): number[] => {
    const counts = new Array<number>(classes).fill(0);
    for (const position of list) counts[labels[position]!]!++;
    return counts;
  };
  return {
    positions: taken,
    weights: undefined,
    histogram: countBy(taken),
    distinct: countBy(new Set(taken)),
    policy: count > positions.length ? 'repeat' : 'none',
  };
}

/** Positions whose score is among the highest `share` of their class; ties at the threshold are kept. Scan order. */
export function mostConfident(
  scores: ArrayLike<number>,
  labels: ArrayLike<number>,
  classes: number,
  share: number,
): Int32Array<ArrayBuffer> {
  const own: number[][] = Array.from({ length: classes }, () => []);
  for (let i = 0; i < labels.length; i++) own[labels[i]!]!.push(scores[i]!);
  const thresholds = own.map((values) => {
    const kept = Math.ceil(share * values.length);
    return Float64Array.from(values).sort()[values.length - kept] ?? Number.POSITIVE_INFINITY;
  });
  const positions: number[] = [];
  for (let i = 0; i < labels.length; i++) if (scores[i]! >= thresholds[labels[i]!]!) positions.push(i);
  return Int32Array.from(positions);
}
