import { WorkbenchError } from '../../base/errors.ts';
import { softmaxRows } from '../probabilities.ts';

/** How far apart classes are by one notion of it. */
export interface Dissimilarity {
  /** Short name in tables and files, such as 'wup' or 'v3'. */
  readonly name: string;
  readonly title: string;
  /** d(a, b) [K, K] row-major, at least 0, zero on the diagonal. */
  readonly values: Float64Array;
}

/** Means of rows by class, gathered piece by piece: features or pixels of all images are too much for memory. */
export interface ClassMeans {
  /** The next rows [n, F], in the order of the labels. */
  add(rows: Float32Array, features: number): void;
  /** V1 and V4: 1 − (1 + cos(m_a, m_b)) / 2 of the means m. @throws DATA_UNSUITABLE for a class without rows */
  dissimilarity(): Float64Array;
}

/** `labels` [N] of all rows to come. */
export function gatherMeans(labels: Int32Array, classes: number): ClassMeans {
  const counts = new Int32Array(classes);
  let [sums, seen] = [new Float64Array(0), 0];
  return {
    add(rows, features) {
      if (sums.length === 0) sums = new Float64Array(classes * features);
      for (let i = 0; i < rows.length / features; i++) {
        const label = labels[seen++]!;
        counts[label]!++;
        for (let f = 0; f < features; f++) sums[label * features + f]! += rows[i * features + f]!;
      }
    },
    dissimilarity() {
      const absent = [...counts.keys()].filter((k) => counts[k] === 0);
      if (absent.length > 0) {
        throw new WorkbenchError(
          'DATA_UNSUITABLE',
          `Class means: expected images of all ${classes} classes, got none of ${absent.slice(0, 8).join(', ')}`,
          { hint: 'Give images of every class, or leave out the measures that are made from class means.' },
        );
      }
      const features = sums.length / classes;
      return cosineDissimilarity(
        sums.map((sum, at) => sum / counts[Math.floor(at / features)]!),
        classes,
      );
    },
  };
}

/** V2: 1 − (1 + cos(w_a, w_b)) / 2 of the rows of the last layer [K, F]; a row of zeros is unlike nothing and like nothing (cos 0). */
export function cosineDissimilarity(rows: ArrayLike<number>, classes: number): Float64Array {
  const features = rows.length / classes;
  const dot = (a: number, b: number): number => {
    let sum = 0;
    for (let f = 0; f < features; f++) sum += rows[a * features + f]! * rows[b * features + f]!;
    return sum;
  };
  const norms = Array.from({ length: classes }, (_, k) => Math.sqrt(dot(k, k)) || 1);
  return offDiagonal(classes, (a, b) => {
    const cosine = dot(a, b) / (norms[a]! * norms[b]!);
    return (1 - Math.min(1, Math.max(-1, cosine))) / 2;
  });
}

/**
 * V3: 1 − C of the soft confusion C_ij = mean over images of class i of softmax(z / T)_j, without its diagonal,
 * symmetrised and divided by its maximum. `logits` [N, K] of clean images. A class without images is judged by how often
 * others are taken for it; a pair of such classes is NaN.
 */
export function confusionDissimilarity(
  logits: Float32Array,
  labels: Int32Array,
  classes: number,
  temperature = 4,
): Float64Array {
  const confusion = new Float64Array(classes * classes);
  const counts = new Int32Array(classes);
  for (let i = 0; i < labels.length; i++) {
    const p = softmaxRows(logits.subarray(i * classes, (i + 1) * classes), classes, temperature);
    counts[labels[i]!]!++;
    for (let k = 0; k < classes; k++) confusion[labels[i]! * classes + k]! += p[k]!;
  }
  const rates = (a: number, b: number): number[] => (counts[a] === 0 ? [] : [confusion[a * classes + b]! / counts[a]!]);
  const symmetric = offDiagonal(classes, (a, b) => {
    const known = [...rates(a, b), ...rates(b, a)];
    return known.reduce((sum, rate) => sum + rate, 0) / known.length;
  });
  const largest = symmetric.reduce((top, value) => (value > top ? value : top), 0);
  return offDiagonal(classes, (a, b) => (largest === 0 ? 1 : 1 - symmetric[a * classes + b]! / largest));
}

function offDiagonal(classes: number, value: (a: number, b: number) => number): Float64Array {
  return Float64Array.from({ length: classes * classes }, (_, at) => {
    const [a, b] = [Math.floor(at / classes), at % classes];
    return a === b ? 0 : value(a, b);
  });
}

/** What the flips of a class may cost at most before they are called never events. */
export interface CostMatrix {
  /** c(a, b) [K, K] row-major, at least 0, zero on the diagonal. */
  readonly values: Float64Array;
  /** A flip that costs more than this must never happen. */
  readonly threshold: number;
}

/**
 * A cost matrix from lines of numbers. `threshold` is the 90th percentile of the costs off the diagonal when absent.
 * @throws PARAM_INVALID when it is not square, does not fit the model, or holds something other than costs.
 */
export function costMatrix(
  rows: readonly (readonly number[])[],
  classes: number,
  file: string,
  threshold?: number,
): CostMatrix {
  const wrongRow = rows.findIndex((row) => row.length !== rows.length);
  const [wrongCost] = rows.flatMap((row, i) =>
    row.flatMap((cost, j) => (Number.isFinite(cost) && cost >= 0 ? [] : [{ cost, row: i + 1, column: j + 1 }])),
  );
  const problem =
    wrongRow >= 0
      ? `expected a square matrix, got ${rows.length} rows of which row ${wrongRow + 1} has ${rows[wrongRow]!.length} numbers`
      : rows.length !== classes
        ? `expected ${classes} × ${classes} costs for as many classes, got ${rows.length} × ${rows.length}`
        : wrongCost
          ? `expected costs of at least 0, got ${wrongCost.cost} in row ${wrongCost.row}, column ${wrongCost.column}`
          : rows.some((row, k) => row[k] !== 0)
            ? 'expected 0 on the diagonal: an answer that does not change costs nothing'
            : undefined;
  if (problem !== undefined) {
    throw new WorkbenchError('PARAM_INVALID', `Cost matrix ${file}: ${problem}`, {
      hint: 'One line for each class before the attack, one number for each class after it, in the order of the model’s classes.',
    });
  }
  const values = Float64Array.from(rows.flat());
  const costs = values.filter((_, at) => at % (classes + 1) !== 0).sort();
  return { values, threshold: threshold ?? costs[Math.ceil(0.9 * costs.length) - 1] ?? 0 };
}

/**
 * Targets of the least and of the most severe flip of each image: the class nearest to and farthest from the answer
 * `before` [N]; of equals the lower class.
 */
export function extremeTargets(
  values: Float64Array,
  before: Int32Array,
): { least: Int32Array<ArrayBuffer>; most: Int32Array<ArrayBuffer> } {
  const k = Math.round(Math.sqrt(values.length));
  const pick = (a: number, isBetter: (d: number, best: number) => boolean): number => {
    let best = -1;
    for (let b = 0; b < k; b++) {
      if (b !== a && (best < 0 || isBetter(values[a * k + b]!, values[a * k + best]!))) best = b;
    }
    return best;
  };
  return {
    least: Int32Array.from(before, (a) => pick(a, (d, best) => d < best)),
    most: Int32Array.from(before, (a) => pick(a, (d, best) => d > best)),
  };
}
