import { softmaxRows } from '../metrics/probabilities.ts';
import type { LabelEvidence, RecoveredLabels } from './labels.ts';
import { nonNegativeLeastSquares } from './labels-least-squares.ts';

type Answer = Pick<RecoveredLabels, 'labels' | 'notes'>;

/**
 * L6: n = B (p̄ − ∂b) is exact algebra when p̄, the mean softmax over the batch, is known; the attacker puts 1/K or what the
 * network says of inputs at hand.
 */
export function countRule({ biasGradient, classes, batchSize, meanProbabilities }: LabelEvidence): Answer {
  if (!biasGradient) return { labels: undefined, notes: ['The last layer has no bias.'] };
  const counts = Float64Array.from(
    { length: classes },
    (_, i) => batchSize * ((meanProbabilities?.[i] ?? 1 / classes) - biasGradient[i]!),
  );
  const notes = meanProbabilities
    ? []
    : ['Takes the mean softmax to be 1/K each, which holds for fresh networks only.'];
  return { labels: wholeCounts(counts, batchSize), notes };
}

/**
 * L7 (Ma et al. 2023): o_i = ∂W_i / ∂b_i stands for the features of class i, P_·j = softmax(W o_j + b) for what the network
 * says of an image of class j. Solves (P − I) n = B ∂b with n ≥ 0 and Σ n = B by least squares.
 */
export function embeddingRule(evidence: LabelEvidence): Answer {
  const { biasGradient, weight, bias, classes, batchSize } = evidence;
  if (!biasGradient) return { labels: undefined, notes: ['The last layer has no bias.'] };
  if (!weight || !bias) return { labels: undefined, notes: ['Needs the weights of the last layer.'] };
  const { columns, unclear } = classColumns(evidence, weight, bias, biasGradient);
  // Rows: K balances, then the sum of the counts.
  const matrix = new Float64Array((classes + 1) * classes);
  for (let j = 0; j < classes; j++) {
    for (let i = 0; i < classes; i++) matrix[i * classes + j] = columns[j * classes + i]! - (i === j ? 1 : 0);
    matrix[classes * classes + j] = 1;
  }
  const wanted = Float64Array.from({ length: classes + 1 }, (_, i) =>
    i < classes ? batchSize * biasGradient[i]! : batchSize,
  );
  const counts = nonNegativeLeastSquares(matrix, wanted, classes);
  const notes =
    unclear > 0 ? [`${unclear} classes have no bias gradient to divide by; the mean features stand for them.`] : [];
  return { labels: wholeCounts(counts, batchSize), notes };
}

/** softmax(W o_j + b) for each class j, [K, K] with a row for j. */
function classColumns(
  { weightGradient, classes }: LabelEvidence,
  weight: ArrayLike<number>,
  bias: ArrayLike<number>,
  biasGradient: ArrayLike<number>,
): { columns: ArrayLike<number>; unclear: number } {
  const size = weightGradient.length / classes;
  const largest = Array.from(biasGradient).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const square = Array.from(biasGradient).reduce((sum, value) => sum + value * value, 0);
  const features = new Float64Array(size);
  const logits = new Float64Array(classes * classes);
  let unclear = 0;
  for (let j = 0; j < classes; j++) {
    const isClear = Math.abs(biasGradient[j]!) > 1e-6 * largest;
    if (!isClear) unclear++;
    for (let f = 0; f < size; f++) {
      if (isClear) features[f] = weightGradient[j * size + f]! / biasGradient[j]!;
      else {
        let sum = 0;
        for (let i = 0; i < classes; i++) sum += biasGradient[i]! * weightGradient[i * size + f]!;
        features[f] = sum / square;
      }
    }
    for (let i = 0; i < classes; i++) {
      let sum = bias[i]!;
      for (let f = 0; f < size; f++) sum += weight[i * size + f]! * features[f]!;
      logits[j * classes + i] = sum;
    }
  }
  return { columns: softmaxRows(logits, classes), unclear };
}

/**
 * The labels whose whole counts lie closest to `counts` [K] in the sense of squares, Σ counts = `total`: each label goes to
 * the class that still lacks most.
 */
function wholeCounts(counts: ArrayLike<number>, total: number): readonly number[] {
  const lacking = Float64Array.from(counts);
  const labels: number[] = [];
  for (let n = 0; n < total; n++) {
    let best = 0;
    for (let i = 1; i < lacking.length; i++) if (lacking[i]! > lacking[best]!) best = i;
    labels.push(best);
    lacking[best]! -= 1;
  }
  return labels;
}
