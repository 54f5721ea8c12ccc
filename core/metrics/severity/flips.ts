import { WorkbenchError } from '../../base/errors.ts';
import { argmaxRows } from '../classification.ts';
import { entropy, softmaxRows } from '../probabilities.ts';

/** What an attack did to each image, column by column; everything below is [N] unless said otherwise. */
export interface Flips {
  readonly count: number;
  readonly classes: number;
  /** True classes; undefined when nobody knows them. */
  readonly labels: Int32Array | undefined;
  /** The answer to the clean image, a = argmax p(x). */
  readonly before: Int32Array;
  /** The answer to the attacked image, b = argmax p(x'). */
  readonly after: Int32Array;
  /** 1 where a ≠ b. */
  readonly fooled: Uint8Array;
  /** rank(a; x'), 1 for the first. */
  readonly oldRank: Int32Array;
  /** rank(b; x), 1 for the first. */
  readonly newRank: Int32Array;
  /** p_a(x), p_a(x') and p_b(x'). */
  readonly oldConfidenceBefore: Float64Array;
  readonly oldConfidence: Float64Array;
  readonly newConfidence: Float64Array;
  /** p_b(x') minus the largest other probability of x'. */
  readonly gap: Float64Array;
  /** Jensen–Shannon divergence of p(x) and p(x'), nats. */
  readonly divergence: Float64Array;
  /** H(p(x')) − H(p(x)), nats. */
  readonly entropyChange: Float64Array;
}

export interface FlipInput {
  /** [N, K] of the clean and of the attacked images. */
  readonly clean: Float32Array;
  readonly attacked: Float32Array;
  readonly labels?: Int32Array | undefined;
  readonly classes: number;
  /** Divides the logits before every softmax; 1 when absent. Ranks do not change with it. */
  readonly temperature?: number;
}

/**
 * The columns from which all severity metrics are made. Ranks are counted on logits, not on probabilities, of which
 * many are exactly 0 in float32 once there are a thousand classes.
 * @throws SHAPE_MISMATCH when rows, labels and classes do not fit.
 */
export function recordFlips({ clean, attacked, labels, classes, temperature = 1 }: FlipInput): Flips {
  const count = clean.length / classes;
  if (!Number.isInteger(count) || attacked.length !== clean.length || (labels && labels.length !== count)) {
    throw new WorkbenchError(
      'SHAPE_MISMATCH',
      `Flips: expected logits of shape [N, ${classes}] before and after and N labels, got ${clean.length}, ` +
        `${attacked.length} and ${labels?.length ?? 'no'} numbers`,
    );
  }
  const flips = emptyFlips(count, classes, labels);
  flips.before.set(argmaxRows(clean, classes));
  flips.after.set(argmaxRows(attacked, classes));
  // Row by row: probabilities of all images would take more memory than anything else that is kept of them.
  for (let i = 0; i < count; i++) {
    const [a, b] = [flips.before[i]!, flips.after[i]!];
    const [x, y] = [clean.subarray(i * classes, (i + 1) * classes), attacked.subarray(i * classes, (i + 1) * classes)];
    const [p, q] = [softmaxRows(x, classes, temperature), softmaxRows(y, classes, temperature)];
    flips.fooled[i] = Number(a !== b);
    flips.oldRank[i] = rankOf(y, a);
    flips.newRank[i] = rankOf(x, b);
    flips.oldConfidenceBefore[i] = p[a]!;
    flips.oldConfidence[i] = q[a]!;
    flips.newConfidence[i] = q[b]!;
    flips.gap[i] = q[b]! - largestBut(q, b);
    flips.divergence[i] = jensenShannon(p, q);
    flips.entropyChange[i] = entropy(q) - entropy(p);
  }
  return flips;
}

function emptyFlips(count: number, classes: number, labels: Int32Array | undefined): Flips {
  const [whole, real] = [(): Int32Array => new Int32Array(count), (): Float64Array => new Float64Array(count)];
  return {
    count,
    classes,
    labels,
    before: whole(),
    after: whole(),
    fooled: new Uint8Array(count),
    oldRank: whole(),
    newRank: whole(),
    oldConfidenceBefore: real(),
    oldConfidence: real(),
    newConfidence: real(),
    gap: real(),
    divergence: real(),
    entropyChange: real(),
  };
}

/** The columns that are numbers of each image, in the order in which they are stored. */
const columns = [
  'before',
  'after',
  'fooled',
  'oldRank',
  'newRank',
  'oldConfidenceBefore',
  'oldConfidence',
  'newConfidence',
  'gap',
  'divergence',
  'entropyChange',
] as const;

/**
 * One line of flips from many: line i is line `from(i).row` of `from(i).flips`. Pieces of a set are put together by it, and
 * the worst case is chosen.
 */
export function pickFlips(
  { count, classes, labels }: Pick<Flips, 'count' | 'classes' | 'labels'>,
  from: (i: number) => { readonly flips: Flips; readonly row: number },
): Flips {
  const picked = emptyFlips(count, classes, labels);
  for (let i = 0; i < count; i++) {
    const { flips, row } = from(i);
    for (const name of columns) picked[name][i] = flips[name][row]!;
  }
  return picked;
}

/** All columns one after the other [11 · N], for a file; `unpackFlips` is the inverse. */
export function packFlips(flips: Flips): Float64Array<ArrayBuffer> {
  const packed = new Float64Array(columns.length * flips.count);
  columns.forEach((name, at) => packed.set(flips[name], at * flips.count));
  return packed;
}

export function unpackFlips(packed: Float64Array, classes: number, labels: Int32Array): Flips | undefined {
  const count = labels.length;
  if (packed.length !== columns.length * count) return undefined;
  const flips = emptyFlips(count, classes, labels);
  columns.forEach((name, at) => flips[name].set(packed.subarray(at * count, (at + 1) * count)));
  return flips;
}

/** Position of class `k` among the logits [K], in falling order, 1 for the first; of equals the lower class comes first. */
function rankOf(logits: ArrayLike<number>, k: number): number {
  const own = logits[k]!;
  let rank = 1;
  for (let j = 0; j < logits.length; j++) {
    const other = logits[j]!;
    if (other > own || (other === own && j < k)) rank++;
  }
  return rank;
}

function largestBut(row: Float64Array, k: number): number {
  let top = 0;
  for (let j = 0; j < row.length; j++) if (j !== k && row[j]! > top) top = row[j]!;
  return top;
}

/** H((p + q) / 2) − (H(p) + H(q)) / 2 in [0, ln 2] nats. */
function jensenShannon(p: Float64Array, q: Float64Array): number {
  const middle = p.map((value, k) => (value + q[k]!) / 2);
  return Math.max(0, entropy(middle) - (entropy(p) + entropy(q)) / 2);
}

/** Counts [K, K], row-major: row = answer before, column = answer after. The diagonal holds the images that stood. */
export function flipMatrix({ before, after, classes }: Flips): Int32Array<ArrayBuffer> {
  const counts = new Int32Array(classes * classes);
  for (let i = 0; i < before.length; i++) counts[before[i]! * classes + after[i]!]!++;
  return counts;
}

/** Each row of `counts` [K, K] divided by its sum; a row without counts stays 0. */
export function normaliseRows(counts: ArrayLike<number>, classes: number): Float64Array<ArrayBuffer> {
  return Float64Array.from(counts, (value, at) => {
    const start = at - (at % classes);
    let sum = 0;
    for (let j = 0; j < classes; j++) sum += counts[start + j]!;
    return sum === 0 ? 0 : value / sum;
  });
}

/** Where fooled images end up (universal perturbations send many to a few labels). */
export interface Concentration {
  /** The most frequent new label and its share of the fooled images; null when none is fooled. */
  readonly dominant: number | null;
  readonly dominantShare: number | null;
  /** Fewest labels that together hold 95 % of the fooled images. */
  readonly labelsFor95: number;
  /** Entropy of the new labels over ln K: 0 for a single label, 1 for all alike. */
  readonly spread: number | null;
}

export function concentration({ after, fooled, classes }: Flips): Concentration {
  const counts = new Int32Array(classes);
  for (let i = 0; i < after.length; i++) if (fooled[i]) counts[after[i]!]!++;
  const total = counts.reduce((a, b) => a + b, 0);
  if (total === 0) return { dominant: null, dominantShare: null, labelsFor95: 0, spread: null };
  const sorted = counts.slice().sort().reverse();
  let [labelsFor95, held] = [0, 0];
  while (held < 0.95 * total) held += sorted[labelsFor95++]!;
  return {
    dominant: counts.indexOf(sorted[0]!),
    dominantShare: sorted[0]! / total,
    labelsFor95,
    spread: entropy(Float64Array.from(counts, (count) => count / total)) / Math.log(classes),
  };
}

/**
 * The temperature T that minimises the mean cross-entropy of softmax(z / T) (Guo et al. 2017), by golden-section search
 * over ln T in [ln 0.05, ln 20]: the loss is convex in 1 / T, hence has one valley in ln T. `logits` [N, K] of clean images.
 */
export function fitTemperature(logits: Float32Array, labels: Int32Array, classes: number): number {
  const loss = (logT: number): number => {
    const temperature = Math.exp(logT);
    return labels.reduce((sum, label, i) => {
      const p = softmaxRows(logits.subarray(i * classes, (i + 1) * classes), classes, temperature);
      return sum - Math.log(Math.max(p[label]!, 1e-300));
    }, 0);
  };
  const ratio = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [Math.log(0.05), Math.log(20)];
  for (let i = 0; i < 40; i++) {
    const [a, b] = [high - ratio * (high - low), low + ratio * (high - low)];
    if (loss(a) < loss(b)) high = b;
    else low = a;
  }
  return Math.exp((low + high) / 2);
}
