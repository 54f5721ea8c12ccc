import { WorkbenchError } from '../base/errors.ts';

/** Measures over class predictions. Rates are fractions in [0, 1]; a rate over no items is NaN. */

function checkRows(values: ArrayLike<number>, classCount: number, what: string): number {
  const count = values.length / classCount;
  if (Number.isInteger(count)) return count;
  throw new WorkbenchError(
    'SHAPE_MISMATCH',
    `Expected ${what} of shape [N, ${classCount}], got ${values.length} numbers`,
  );
}

function checkSameLength(a: ArrayLike<number>, b: ArrayLike<number>, what: string): void {
  if (a.length === b.length) return;
  throw new WorkbenchError('SHAPE_MISMATCH', `Expected ${what} of one length, got ${a.length} and ${b.length}`);
}

function checkClass(value: number | undefined, classCount: number): number {
  if (value !== undefined && Number.isInteger(value) && value >= 0 && value < classCount) return value;
  throw new WorkbenchError('SHAPE_MISMATCH', `Expected classes from 0 to ${classCount - 1}, got ${value ?? 'none'}`);
}

/** The class with the largest logit in row `row` of [N, K]; NaN never wins, and class 0 where there is nothing else. */
export function topClass(logits: ArrayLike<number>, row: number, classes: number): number {
  let best = 0;
  let top = -Infinity;
  for (let k = 0; k < classes; k++) {
    const value = logits[row * classes + k]!;
    if (value > top) [best, top] = [k, value];
  }
  return best;
}

/** Class with the largest value of each row of `logits` [N, K] (or probabilities); the first of equals. NaN never wins. */
export function argmaxRows(logits: ArrayLike<number>, classCount: number): Int32Array<ArrayBuffer> {
  const count = checkRows(logits, classCount, 'logits');
  return Int32Array.from({ length: count }, (_, row) => topClass(logits, row, classCount));
}

/** Share of equal entries of two label arrays [N]: accuracy against labels, agreement between two models. */
export function accuracy(predictions: ArrayLike<number>, labels: ArrayLike<number>): number {
  checkSameLength(predictions, labels, 'predictions and labels');
  let hits = 0;
  for (let i = 0; i < labels.length; i++) if (predictions[i] === labels[i]) hits++;
  return hits / labels.length;
}

/** Share of items [N] to which two models give the same class. */
export const agreement = (a: ArrayLike<number>, b: ArrayLike<number>): number => accuracy(a, b);

/**
 * Share of rows of `logits` [N, K] whose label [N] has fewer than k classes ranked before it. Among equal logits the
 * lower class ranks first, so that top 1 is the accuracy of argmaxRows.
 */
export function topKAccuracy(
  logits: ArrayLike<number>,
  labels: ArrayLike<number>,
  classCount: number,
  k: number,
): number {
  const count = checkRows(logits, classCount, 'logits');
  if (labels.length !== count)
    throw new WorkbenchError(
      'SHAPE_MISMATCH',
      `Expected ${count} labels for as many rows of logits, got ${labels.length}`,
    );
  let hits = 0;
  for (let i = 0; i < count; i++) {
    const label = checkClass(labels[i], classCount);
    const own = logits[i * classCount + label]!;
    let before = 0;
    for (let c = 0; c < classCount; c++) {
      const other = logits[i * classCount + c]!;
      if (other > own || (other === own && c < label)) before++;
    }
    if (before < k && !Number.isNaN(own)) hits++;
  }
  return hits / count;
}

/** Counts [K, K], row-major: row = true class, column = predicted class. */
export function confusionMatrix(
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
  classCount: number,
): Int32Array<ArrayBuffer> {
  checkSameLength(predictions, labels, 'predictions and labels');
  const matrix = new Int32Array(classCount * classCount);
  for (let i = 0; i < labels.length; i++) {
    const at = checkClass(labels[i], classCount) * classCount + checkClass(predictions[i], classCount);
    matrix[at] = matrix[at]! + 1;
  }
  return matrix;
}

/** Of each class, the share of its items [N] that are predicted as it; NaN for a class without items. [K] */
export function perClassRecall(
  predictions: ArrayLike<number>,
  labels: ArrayLike<number>,
  classCount: number,
): Float64Array<ArrayBuffer> {
  const matrix = confusionMatrix(predictions, labels, classCount);
  return Float64Array.from({ length: classCount }, (_, k) => {
    const row = matrix.subarray(k * classCount, (k + 1) * classCount);
    return row[k]! / row.reduce((a, b) => a + b, 0);
  });
}

/** Number of items of each class. [K] */
export function classHistogram(labels: ArrayLike<number>, classCount: number): Int32Array<ArrayBuffer> {
  const counts = new Int32Array(classCount);
  for (let i = 0; i < labels.length; i++) {
    const label = checkClass(labels[i], classCount);
    counts[label] = counts[label]! + 1;
  }
  return counts;
}
