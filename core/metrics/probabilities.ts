import { WorkbenchError } from '../base/errors.ts';

/** Measures over class probabilities. Everything is computed in float64; information is in nats. */

function rowsOf(values: ArrayLike<number>, classCount: number): number {
  const count = values.length / classCount;
  if (Number.isInteger(count)) return count;
  throw new WorkbenchError('SHAPE_MISMATCH', `Expected rows of ${classCount} classes, got ${values.length} numbers`);
}

/** log softmax(logits / temperature) for each row of [N, K], by the largest value and log-sum-exp, so nothing overflows. */
export function logSoftmaxRows(
  logits: ArrayLike<number>,
  classCount: number,
  temperature = 1,
): Float64Array<ArrayBuffer> {
  const count = rowsOf(logits, classCount);
  const out = new Float64Array(logits.length);
  for (let i = 0; i < count; i++) {
    const start = i * classCount;
    let top = -Infinity;
    for (let k = 0; k < classCount; k++) top = Math.max(top, logits[start + k]! / temperature);
    let sum = 0;
    for (let k = 0; k < classCount; k++) sum += Math.exp(logits[start + k]! / temperature - top);
    const log = top + Math.log(sum);
    for (let k = 0; k < classCount; k++) out[start + k] = logits[start + k]! / temperature - log;
  }
  return out;
}

/** softmax(logits / temperature) for each row of [N, K]: p_k = exp(z_k / T) / Σ_j exp(z_j / T). */
export const softmaxRows = (
  logits: ArrayLike<number>,
  classCount: number,
  temperature = 1,
): Float64Array<ArrayBuffer> => logSoftmaxRows(logits, classCount, temperature).map((value) => Math.exp(value));

/** H(p) = -Σ p_k ln p_k of one distribution [K], with 0 ln 0 = 0; in [0, ln K] nats. */
export function entropy(probabilities: ArrayLike<number>): number {
  let sum = 0;
  for (let k = 0; k < probabilities.length; k++) {
    const p = probabilities[k]!;
    if (p !== 0) sum -= p * Math.log(p);
  }
  return sum;
}

/** Entropy of each row of [N, K]. [N] */
export function entropyRows(probabilities: ArrayLike<number>, classCount: number): Float64Array<ArrayBuffer> {
  const values = Float64Array.from(probabilities);
  return Float64Array.from({ length: rowsOf(values, classCount) }, (_, i) =>
    entropy(values.subarray(i * classCount, (i + 1) * classCount)),
  );
}

/** KL(p ‖ q) = Σ p_k (ln p_k - ln q_k) of two distributions [K], with 0 ln 0 = 0; Infinity where q lacks what p has. */
export function klDivergence(p: ArrayLike<number>, q: ArrayLike<number>): number {
  if (p.length !== q.length)
    throw new WorkbenchError(
      'SHAPE_MISMATCH',
      `Expected two distributions of one length, got ${p.length} and ${q.length}`,
    );
  let sum = 0;
  for (let k = 0; k < p.length; k++) {
    if (p[k] !== 0) sum += p[k]! * (Math.log(p[k]!) - Math.log(q[k]!));
  }
  return sum;
}

/**
 * Mean over rows of KL(softmax(a / T) ‖ softmax(b / T)) between two sets of logits [N, K]. Taken in log space, so it is
 * finite for finite logits. The distillation loss is T² times this (Hinton, Vinyals, Dean 2015).
 */
export function meanKlOfLogits(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  classCount: number,
  temperature = 1,
): number {
  if (a.length !== b.length)
    throw new WorkbenchError(
      'SHAPE_MISMATCH',
      `Expected two sets of logits of one size, got ${a.length} and ${b.length} numbers`,
    );
  const [logP, logQ] = [logSoftmaxRows(a, classCount, temperature), logSoftmaxRows(b, classCount, temperature)];
  let sum = 0;
  for (let i = 0; i < logP.length; i++) {
    const p = Math.exp(logP[i]!);
    if (p !== 0) sum += p * (logP[i]! - logQ[i]!);
  }
  return sum / rowsOf(a, classCount);
}

export interface CalibrationBin {
  /** Items whose confidence lies in the bin. */
  readonly count: number;
  /** Mean confidence and accuracy of these items; NaN when there are none. */
  readonly confidence: number;
  readonly accuracy: number;
}

export interface Calibration {
  /** Expected calibration error, a fraction. */
  readonly error: number;
  readonly bins: readonly CalibrationBin[];
}

/**
 * Expected calibration error Σ_b (n_b / N) |accuracy_b - confidence_b| over bins of equal width on (0, 1] (Guo et al. 2017,
 * eq. 3), from probabilities [N, K] and labels [N]. Confidence is the largest probability; bin b is (b/B, (b+1)/B].
 */
export function expectedCalibrationError(
  probabilities: ArrayLike<number>,
  labels: ArrayLike<number>,
  classCount: number,
  binCount = 15,
): Calibration {
  const count = rowsOf(probabilities, classCount);
  if (labels.length !== count)
    throw new WorkbenchError(
      'SHAPE_MISMATCH',
      `Expected ${count} labels for as many rows of probabilities, got ${labels.length}`,
    );
  const sums = Array.from({ length: binCount }, () => ({ count: 0, confidence: 0, hits: 0 }));
  for (let i = 0; i < count; i++) {
    let [best, confidence] = [0, -Infinity];
    for (let k = 0; k < classCount; k++) {
      const p = probabilities[i * classCount + k]!;
      if (p > confidence) [best, confidence] = [k, p];
    }
    const bin = sums[Math.min(binCount - 1, Math.max(0, Math.ceil(confidence * binCount) - 1))];
    if (!bin)
      throw new WorkbenchError(
        'SHAPE_MISMATCH',
        `Probabilities of item ${i}: expected numbers, got ${probabilities[i * classCount] ?? 'none'}`,
      );
    bin.count++;
    bin.confidence += confidence;
    if (best === labels[i]) bin.hits++;
  }
  const bins = sums.map((bin) => ({
    count: bin.count,
    confidence: bin.confidence / bin.count,
    accuracy: bin.hits / bin.count,
  }));
  const error = sums.reduce((sum, bin) => sum + Math.abs(bin.hits - bin.confidence), 0) / count;
  return { error, bins };
}
