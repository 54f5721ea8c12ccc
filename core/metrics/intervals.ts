import { WorkbenchError } from '../base/errors.ts';
import type { Rng } from '../base/rng.ts';

/** A range that holds the true value with the stated confidence. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/** Two-sided 95 % of the normal distribution. */
const z95 = 1.959963984540054;

/**
 * Wilson's score interval of a proportion (Wilson 1927): (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n). `z` is the
 * normal quantile, 95 % when absent. [0, 1] when there are no trials.
 */
export function wilsonInterval(successes: number, trials: number, z = z95): Interval {
  if (trials === 0) return { low: 0, high: 1 };
  const p = successes / trials;
  const square = (z * z) / trials;
  const centre = p + square / 2;
  const half = z * Math.sqrt((p * (1 - p)) / trials + square / (4 * trials));
  return { low: Math.max(0, (centre - half) / (1 + square)), high: Math.min(1, (centre + half) / (1 + square)) };
}

export interface BootstrapInterval extends Interval {
  readonly mean: number;
}

/**
 * Percentile bootstrap of a mean (Efron 1979): `resamples` means of as many values drawn with replacement; the interval
 * leaves out (1 - confidence) / 2 of them at each end.
 */
export function bootstrapMean(
  values: ArrayLike<number>,
  rng: Rng,
  resamples = 2000,
  confidence = 0.95,
): BootstrapInterval {
  const n = values.length;
  if (n === 0) throw new WorkbenchError('SHAPE_MISMATCH', 'Bootstrap: expected at least one value, got none');
  const means = new Float64Array(resamples);
  for (let r = 0; r < resamples; r++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += values[rng.int(n)]!;
    means[r] = sum / n;
  }
  means.sort();
  let total = 0;
  for (let i = 0; i < n; i++) total += values[i]!;
  const tail = (1 - confidence) / 2;
  return { mean: total / n, low: quantile(means, tail), high: quantile(means, 1 - tail) };
}

/** Bootstrap of the mean of a_i - b_i over pairs, such as the same seed in two arms. */
export function bootstrapPairedDifference(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  rng: Rng,
  resamples = 2000,
  confidence = 0.95,
): BootstrapInterval {
  if (a.length !== b.length)
    throw new WorkbenchError(
      'SHAPE_MISMATCH',
      `Paired bootstrap: expected two arms of one length, got ${a.length} and ${b.length}`,
    );
  const differences = Float64Array.from({ length: a.length }, (_, i) => a[i]! - b[i]!);
  return bootstrapMean(differences, rng, resamples, confidence);
}

/** The q-quantile of sorted values, linear between neighbours. */
function quantile(sorted: Float64Array, q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (position - below);
}
