import { wilsonInterval, type Interval } from '../metrics/intervals.ts';
import type { SampleRecord } from './shell.ts';

type Verdict = SampleRecord['verdict'];

/** Shares of one attack, or of the worst case, at one epsilon; each with what it is a share of. */
export interface AttackFigures {
  readonly count: number;
  /** Share of all images that the model gets right without an attack. */
  readonly cleanAccuracy: number;
  /** Share of all images that are right and stay so. */
  readonly robustAccuracy: number;
  readonly robustInterval: Interval;
  /** Of the images that were right, the share that was fooled; NaN when none was right. */
  readonly successRate: number;
  readonly successInterval: Interval;
  /** Of all images, the share whose class under attack is not the class without: wrong ones count with what was found. */
  readonly foolingRate: number;
  readonly medianNorm: number;
  readonly meanQueries: number;
  readonly meanGradientCalls: number;
}

/** Figures of records at one epsilon; `norm` says what the median is of. */
export function attackFigures(records: readonly SampleRecord[], norm: 'linf' | 'l2' | 'l1' | 'l0'): AttackFigures {
  const count = records.length;
  const having = (...verdicts: readonly Verdict[]): readonly SampleRecord[] =>
    records.filter(({ verdict }) => verdicts.includes(verdict));
  const right = having('fooled', 'robust', 'skipped').length;
  // Another attack fooled what was skipped: it does not stand.
  const standing = having('robust').length;
  const fallen = having('fooled', 'skipped').length;
  const flipped = records.filter(({ verdict, predicted, reached }) => verdict === 'skipped' || reached !== predicted);
  const tried = having('fooled', 'robust');
  return {
    count,
    cleanAccuracy: right / count,
    robustAccuracy: standing / count,
    robustInterval: wilsonInterval(standing, count),
    successRate: fallen / right,
    successInterval: wilsonInterval(fallen, right),
    foolingRate: flipped.length / count,
    medianNorm: median(having('fooled').map((record) => record[norm])),
    meanQueries: mean(tried.map(({ queries }) => queries)),
    meanGradientCalls: mean(tried.map(({ gradientCalls }) => gradientCalls)),
  };
}

const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

interface Judged {
  readonly isControl: boolean;
  readonly epsilon: number;
  /** By image. */
  readonly records: readonly Pick<SampleRecord, 'verdict'>[];
}

/**
 * The pointwise worst case at `epsilon`: an image has fallen if any attack fooled it at this epsilon or a smaller one
 * (Croce & Hein 2020, section 4). For each image the result that fooled it first, by epsilon and order; undefined where it
 * stands or was wrong before.
 */
export function worstCase<Result extends Judged>(
  results: readonly Result[],
  epsilon: number,
  count: number,
): (Result | undefined)[] {
  const within = results
    .filter((result) => !result.isControl && result.epsilon <= epsilon)
    .toSorted((a, b) => a.epsilon - b.epsilon);
  return Array.from({ length: count }, (_, i) => within.find(({ records }) => records[i]?.verdict === 'fooled'));
}
