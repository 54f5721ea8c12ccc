import type { CostMatrix, Dissimilarity } from './dissimilarity.ts';
import type { Flips } from './flips.ts';
import { quantile, ratio, type Statistic } from './resampling.ts';

/**
 * Severity metrics in the spirit of Mopuri et al. 2020 (their text could not be read; the definitions are ours, built
 * from neighbouring papers). Every one is a `Statistic`, so that intervals and paired differences come the same way.
 */

/** Adds "only these images" to a set of flips: [N] of 0 and 1; all when absent. */
type Selection = Uint8Array | undefined;

const times = (a: ArrayLike<number>, b: ArrayLike<number> | undefined): ArrayLike<number> =>
  b === undefined ? a : Float64Array.from(a, (value, i) => value * b[i]!);

/**
 * Counts that must not be mixed: `foolingRate` a ≠ b over all images, wrong answers included; `attackSuccess` b ≠ y of
 * the images with a = y; `robustError` b ≠ y over all; `repaired` the fooled images whose new answer is the true one.
 */
export function flipCounts({ labels, before, after, fooled }: Flips): Record<string, Statistic> {
  if (!labels) return { foolingRate: ratio(fooled) };
  const right = Uint8Array.from(before, (a, i) => Number(a === labels[i]));
  const wrongAfter = Uint8Array.from(after, (b, i) => Number(b !== labels[i]));
  const repaired = Uint8Array.from(after, (b, i) => Number(b === labels[i] && before[i] !== b));
  return {
    foolingRate: ratio(fooled),
    attackSuccess: ratio(times(wrongAfter, right), right),
    robustError: ratio(wrongAfter),
    repaired: ratio(repaired, fooled),
  };
}

/**
 * Where the old label went and where the new one came from. `oldLabelNewRank` and `newLabelOldRank` are zero-based
 * means over all images, fooled or not, as FDA (Ganeshan et al. 2019) takes them; `…Fooled` over fooled images only;
 * `…Normalised` those divided by K − 1. `leftTop` k: rank(a; x') > k; `cameFromBeyond` k: rank(b; x) > k.
 */
export function rankMetrics(flips: Flips, top: readonly number[] = [1, 3, 5]): Record<string, Statistic> {
  const { oldRank, newRank, fooled, classes } = flips;
  const away = Float64Array.from(oldRank, (rank) => rank - 1);
  const from = Float64Array.from(newRank, (rank) => rank - 1);
  const scaled = (ranks: Float64Array): Statistic =>
    ratio(
      times(
        ranks.map((rank) => rank / (classes - 1)),
        fooled,
      ),
      fooled,
    );
  return {
    oldLabelNewRank: ratio(away),
    newLabelOldRank: ratio(from),
    oldLabelNewRankFooled: ratio(times(away, fooled), fooled),
    newLabelOldRankFooled: ratio(times(from, fooled), fooled),
    oldLabelNewRankNormalised: scaled(away),
    newLabelOldRankNormalised: scaled(from),
    reciprocalRankDrop: ratio(Float64Array.from(oldRank, (rank) => 1 - 1 / rank)),
    ...Object.fromEntries(
      top
        .filter((k) => k < classes)
        .flatMap((k) => [
          [`leftTop${k}`, ratio(Uint8Array.from(oldRank, (rank) => Number(rank > k)))],
          [`cameFromBeyond${k}`, ratio(Uint8Array.from(newRank, (rank) => Number(rank > k)))],
        ]),
    ),
  };
}

/**
 * `confidenceDrop` p_a(x) − p_a(x') over all images; over fooled ones the confidence in the new label, in the old one,
 * and the gap to the second best; over all the Jensen–Shannon divergence and the change of entropy in nats.
 */
export function confidenceMetrics(flips: Flips): Record<string, Statistic> {
  const { oldConfidenceBefore, oldConfidence, newConfidence, gap, divergence, entropyChange, fooled } = flips;
  return {
    confidenceDrop: ratio(oldConfidenceBefore.map((value, i) => value - oldConfidence[i]!)),
    newConfidence: ratio(times(newConfidence, fooled), fooled),
    oldConfidence: ratio(times(oldConfidence, fooled), fooled),
    confidenceGap: ratio(times(gap, fooled), fooled),
    divergence: ratio(divergence),
    entropyChange: ratio(entropyChange),
  };
}

/**
 * For a dissimilarity d over fooled images (of `selection`): `severity` mean d(a, b); `corrected` that over what the
 * same images would get from a uniformly random wrong label, mean over j ≠ a of d(a, j): 1 is as harmful as chance,
 * below 1 flips go to neighbours, above 1 they are worse than random; `harm` the fooling rate times `corrected`.
 * `corrected` and `harm` are null when chance is 0, and with two classes, where every flip is the only one possible.
 */
export function severity(
  flips: Pick<Flips, 'before' | 'after' | 'fooled' | 'classes'>,
  { values }: Pick<Dissimilarity, 'values'>,
  selection?: Selection,
): Record<'severity' | 'corrected' | 'harm', Statistic> {
  const { before, after, fooled, classes } = flips;
  const chosen = times(fooled, selection);
  const own = Float64Array.from(after, (b, i) => values[before[i]! * classes + b]! * chosen[i]!);
  const byClass = chanceByClass(values, classes);
  const chance = Float64Array.from(before, (a, i) => byClass[a]! * chosen[i]!);
  const all = selection ?? new Uint8Array(before.length).fill(1);
  const correct = (d: number, c: number): number | null => (classes < 3 || c === 0 ? null : d / c);
  return {
    severity: ratio(own, chosen),
    corrected: { columns: [own, chance], value: ([d = 0, c = 0]) => correct(d, c) },
    harm: {
      columns: [own, chance, chosen, all],
      value: ([d = 0, c = 0, flipped = 0, count = 0]) => {
        if (count === 0) return null;
        if (flipped === 0) return classes < 3 ? null : 0;
        const overChance = correct(d, c);
        return overChance === null ? null : (flipped / count) * overChance;
      },
    },
  };
}

/** Mean of d(a, j) over j ≠ a, for each class a. [K] */
function chanceByClass(values: ArrayLike<number>, classes: number): Float64Array<ArrayBuffer> {
  return Float64Array.from({ length: classes }, (_, a) => {
    let sum = 0;
    for (let j = 0; j < classes; j++) if (j !== a) sum += values[a * classes + j]!;
    return sum / Math.max(1, classes - 1);
  });
}

/** d(a, b) of each image, 0 where it stood. [N] */
export const flipDissimilarity = (
  { before, after, classes }: Pick<Flips, 'before' | 'after' | 'classes'>,
  values: ArrayLike<number>,
): Float64Array<ArrayBuffer> => Float64Array.from(after, (b, i) => values[before[i]! * classes + b]!);

/** What the flips of fooled images cost; all null when none is fooled. */
export interface CostSummary {
  readonly mean: number | null;
  /** The 95th percentile. */
  readonly p95: number | null;
  /** Mean of the costliest 5 % (conditional value at risk; at least one flip). */
  readonly cvar95: number | null;
  /** Share of all images that cost more than the threshold. */
  readonly neverEvents: number;
}

export function costSummary(flips: Flips, { values, threshold }: CostMatrix): CostSummary {
  const all = flipDissimilarity(flips, values);
  const costs = all.filter((_, i) => flips.fooled[i] === 1).sort();
  const neverEvents = costs.filter((cost) => cost > threshold).length / flips.count;
  if (costs.length === 0) return { mean: null, p95: null, cvar95: null, neverEvents };
  const tail = costs.subarray(costs.length - Math.max(1, Math.ceil(costs.length * 0.05 - 1e-9)));
  return { mean: mean(costs), p95: quantile(costs, 0.95), cvar95: mean(tail), neverEvents };
}

const mean = (values: Float64Array): number => values.reduce((a, b) => a + b, 0) / values.length;

/** Images that every one of the attacks fools. [N] of 0 and 1 */
export function fooledByAll(attacks: readonly Pick<Flips, 'fooled'>[]): Uint8Array<ArrayBuffer> {
  const [first, ...rest] = attacks;
  return Uint8Array.from(first?.fooled ?? [], (own, i) => Number(own === 1 && rest.every(({ fooled }) => fooled[i])));
}

/** The largest d(a, b) of each image over the attacks: severity has no pointwise minimum, but it has a worst case. [N] */
export function worstOverAttacks(attacks: readonly Flips[], values: ArrayLike<number>): Float64Array<ArrayBuffer> {
  const each = attacks.map((flips) => flipDissimilarity(flips, values));
  return Float64Array.from({ length: attacks[0]?.count ?? 0 }, (_, i) => Math.max(0, ...each.map((d) => d[i]!)));
}

/** Mean d(a, b) over the fooled images of each class a, and how many there are; null for a class without any. */
export function severityByClass(
  flips: Flips,
  values: ArrayLike<number>,
): { fooled: number; severity: number | null }[] {
  const d = flipDissimilarity(flips, values);
  return Array.from({ length: flips.classes }, (_, k) => {
    const own = d.filter((_value, i) => flips.fooled[i] === 1 && flips.before[i] === k);
    return { fooled: own.length, severity: own.length === 0 ? null : mean(own) };
  });
}
