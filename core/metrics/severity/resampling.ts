import type { Rng } from '../../base/rng.ts';

/**
 * A figure made of sums over images: `value` gets the sum of each column. Rates, conditional means and quotients of
 * means are all of this form, and so is every resample of them.
 */
export interface Statistic {
  /** Each [N]. */
  readonly columns: readonly ArrayLike<number>[];
  /** null where it has no meaning, such as a mean over no fooled image. */
  readonly value: (sums: readonly number[]) => number | null;
}

/** Σ numerator / Σ denominator; the number of images below the line when `denominator` is absent. */
export function ratio(numerator: ArrayLike<number>, denominator?: ArrayLike<number>): Statistic {
  const below = denominator ?? new Uint8Array(numerator.length).fill(1);
  return { columns: [numerator, below], value: ([a = 0, b = 0]) => (b === 0 ? null : a / b) };
}

/** An estimate with the 95 % interval of the percentile bootstrap; null where there is nothing to say. */
export interface Estimate {
  readonly value: number | null;
  readonly low: number | null;
  readonly high: number | null;
}

/**
 * How often each image is drawn in each resample, drawn once and used for every attack, so that differences between
 * attacks are paired.
 */
export interface Resamples {
  readonly images: number;
  /** One [N] of counts for each resample: bytes, as no image is drawn 256 times among as many draws as there are images. */
  readonly counts: readonly Uint8Array[];
}

export function drawResamples(images: number, rng: Rng, resamples = 1000): Resamples {
  const counts = Array.from({ length: resamples }, () => {
    const drawn = new Uint8Array(images);
    for (let i = 0; i < images; i++) drawn[rng.int(images)]!++;
    return drawn;
  });
  return { images, counts };
}

/** The statistic on all images, and its 2.5 % and 97.5 % quantiles over the resamples in which it has a meaning. */
export function estimate(given: Statistic, resamples: Resamples): Estimate {
  const statistic = settled(given);
  const spread = resamples.counts.flatMap((counts) => valueOf(statistic, counts) ?? []);
  return summary(valueOf(statistic), spread);
}

/** a − b with its interval over the same resamples; exactly 0 with no width for two equal attacks. */
export function pairedDifference(first: Statistic, second: Statistic, resamples: Resamples): Estimate {
  const [a, b] = [settled(first), settled(second)];
  const [left, right] = [valueOf(a), valueOf(b)];
  const spread = resamples.counts.flatMap((counts) => {
    const [x, y] = [valueOf(a, counts), valueOf(b, counts)];
    return x === null || y === null ? [] : x - y;
  });
  return summary(left === null || right === null ? null : left - right, spread);
}

/** Columns of one type: a loop that sees several is a few times slower. */
const settled = ({ columns, value }: Statistic): Statistic => ({
  columns: columns.map((column) => (column instanceof Float64Array ? column : Float64Array.from(column))),
  value,
});

function summary(value: number | null, spread: readonly number[]): Estimate {
  if (value === null || spread.length === 0) return { value, low: null, high: null };
  const sorted = Float64Array.from(spread).sort();
  return { value, low: quantile(sorted, 0.025), high: quantile(sorted, 0.975) };
}

function valueOf({ columns, value }: Statistic, counts?: ArrayLike<number>): number | null {
  const sums = columns.map((column) => {
    let sum = 0;
    if (counts === undefined) for (let i = 0; i < column.length; i++) sum += column[i]!;
    else for (let i = 0; i < column.length; i++) sum += column[i]! * counts[i]!;
    return sum;
  });
  return value(sums);
}

/** The q-quantile of sorted values, linear between neighbours. */
export function quantile(sorted: Float64Array, q: number): number {
  const position = q * (sorted.length - 1);
  const below = Math.floor(position);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below]! + (sorted[above]! - sorted[below]!) * (position - below);
}
