import { entropy } from './probabilities.ts';

/** Measures of transfer sets and of students made from them. */

/**
 * (acc - chance) / (accReal - chance): how much of what distillation with real data reaches over guessing is reached
 * without them. 1 is as good; null when real data reach no more than chance.
 */
export function cloneEfficiency(accuracy: number, realDataAccuracy: number, chance: number): number | null {
  return realDataAccuracy > chance ? (accuracy - chance) / (realDataAccuracy - chance) : null;
}

/** H(h) / ln K of a class histogram [K] of counts: 1 when all classes are equally frequent, 0 when one has everything. NaN without items. */
export function balanceScore(histogram: ArrayLike<number>): number {
  const counts = Float64Array.from(histogram);
  const total = counts.reduce((a, b) => a + b, 0);
  if (counts.length === 1 && total > 0) return 1;
  return total === 0 ? Number.NaN : entropy(counts.map((count) => count / total)) / Math.log(counts.length);
}

/** max_k h_k / max(min_k h_k, 1/M) of a class histogram [K] of M items, h_k being shares: an empty class counts as one item. NaN without items. */
export function imbalanceRatio(histogram: ArrayLike<number>): number {
  const counts = Float64Array.from(histogram);
  if (counts.every((count) => count === 0)) return Number.NaN;
  const most = counts.reduce((a, b) => Math.max(a, b), 0);
  const fewest = counts.reduce((a, b) => Math.min(a, b), Infinity);
  return most / Math.max(fewest, 1);
}
