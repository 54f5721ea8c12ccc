import { WorkbenchError } from '../base/errors.ts';
import { countRule, embeddingRule } from './labels-counts.ts';

/**
 * Labels read off the gradient of the last linear layer z = W a + b under the mean cross-entropy of a batch:
 * ∂L/∂b_i = (1/B) Σ_k (p_ki − 1[y_k = i]) and ∂L/∂W_i = (1/B) Σ_k (p_ki − 1[y_k = i]) a_k, a being the features that enter it.
 */
export interface LabelEvidence {
  /** ∂L/∂W [K, F], one row a class. */
  readonly weightGradient: ArrayLike<number>;
  /** ∂L/∂b [K]; undefined for a layer without bias. */
  readonly biasGradient?: ArrayLike<number> | undefined;
  readonly classes: number;
  readonly batchSize: number;
  /** True when the graph says so: the features come out of a ReLU, a sigmoid, a softmax. Undefined: not known. */
  readonly hasNonNegativeFeatures?: boolean | undefined;
  /** Mean softmax of the network on inputs that the attacker may use [K]; 1/K each when absent. For L6. */
  readonly meanProbabilities?: ArrayLike<number> | undefined;
  /** What L4 measured on the network with inputs at hand; absent, it takes everything from the shared gradient. */
  readonly measured?: MeasuredImpact | undefined;
  /** W [K, F] and b [K] themselves. For L7. */
  readonly weight?: ArrayLike<number> | undefined;
  readonly bias?: ArrayLike<number> | undefined;
}

/** White-box figures of LLG, of Σ_j ∂W_ij. */
export interface MeasuredImpact {
  /** What images of other classes add to class i [K]. */
  readonly offset: ArrayLike<number>;
  /** What the label of one image of B adds to its class, times B; negative. */
  readonly impact: number;
}

export const labelRules = ['L1', 'L1-sign', 'L2', 'L3', 'L4', 'L5', 'L6', 'L7'] as const;
export type LabelRule = (typeof labelRules)[number];

export interface RecoveredLabels {
  readonly rule: LabelRule;
  /** Ascending, [B]; undefined when the rule cannot say. */
  readonly labels: readonly number[] | undefined;
  /** Assumptions of the rule that do not hold here, or that cannot be checked; why it cannot say. */
  readonly notes: readonly string[];
}

type Answer = Pick<RecoveredLabels, 'labels' | 'notes'>;

/** Below it every rule would read rounding errors: float32 knows p only to 6e-8. */
const vanishedBelow = 1e-12;
const faintBelow = 1e-6;

/** What one rule makes of the evidence. @throws SHAPE_MISMATCH when the arrays do not fit each other */
export function recoverLabels(rule: LabelRule, evidence: LabelEvidence): RecoveredLabels {
  checkEvidence(evidence);
  const norm = Math.sqrt(
    sumOf(evidence.weightGradient, (v) => v * v) + sumOf(evidence.biasGradient ?? [], (v) => v * v),
  );
  if (!Number.isFinite(norm)) return { rule, labels: undefined, notes: ['The gradient is not finite.'] };
  if (norm < vanishedBelow) {
    const notes = [`The gradient vanished (norm ${norm.toExponential(1)}): it says nothing about labels.`];
    return { rule, labels: undefined, notes };
  }
  const { labels, notes } = rules[rule](evidence);
  const faint =
    norm < faintBelow ? [`The gradient is faint (norm ${norm.toExponential(1)}): rounding may decide.`] : [];
  return { rule, labels: labels?.toSorted((a, b) => a - b), notes: [...faint, ...notes] };
}

/** 1 − Σ_i |n̂_i − n_i| / 2B: the share of the labels named right, as multisets. 0 when nothing was named. */
export function labelOverlap(found: readonly number[] | undefined, truth: ArrayLike<number>): number {
  if (!found) return 0;
  const counts = new Map<number, number>();
  for (const label of Array.from(truth)) counts.set(label, (counts.get(label) ?? 0) + 1);
  for (const label of found) counts.set(label, (counts.get(label) ?? 0) - 1);
  return 1 - [...counts.values()].reduce((sum, n) => sum + Math.abs(n), 0) / (2 * truth.length);
}

const rules: Readonly<Record<LabelRule, (evidence: LabelEvidence) => Answer>> = {
  L1: rowSumRule,
  'L1-sign': signRule,
  L2: biasRule,
  L3: minimumRule,
  L4: llgRule,
  L5: biasLlgRule,
  L6: countRule,
  L7: embeddingRule,
};

const oneImageOnly = (batchSize: number): Answer => ({
  labels: undefined,
  notes: [`Holds for one image only; the batch has ${batchSize}.`],
});
const noBias: Answer = { labels: undefined, notes: ['The last layer has no bias.'] };

/** argmin_i Σ_j ∂W_ij (iDLG, released code): for a ≥ 0 only the row of the label is negative. */
function rowSumRule(evidence: LabelEvidence): Answer {
  if (evidence.batchSize !== 1) return oneImageOnly(evidence.batchSize);
  return { labels: [argmin(rowSums(evidence))], notes: signNotes(evidence) };
}

/**
 * The row whose product with all others is negative (iDLG, section 3), held against the row of largest norm. Needs only
 * a ≠ 0; two rows are exact negatives of each other and say nothing.
 */
function signRule({ weightGradient, classes, batchSize }: LabelEvidence): Answer {
  if (batchSize !== 1) return oneImageOnly(batchSize);
  if (classes === 2) {
    return {
      labels: undefined,
      notes: ['With two classes the rows are exact negatives: signs cannot tell them apart.'],
    };
  }
  const size = weightGradient.length / classes;
  const dot = (i: number, j: number): number => {
    let sum = 0;
    for (let f = 0; f < size; f++) sum += weightGradient[i * size + f]! * weightGradient[j * size + f]!;
    return sum;
  };
  const squares = Array.from({ length: classes }, (_, i) => dot(i, i));
  const longest = squares.indexOf(Math.max(...squares));
  const products = squares.map((_, i) => dot(i, longest));
  const rows = (sign: number): number[] => products.flatMap((value, i) => (Math.sign(value) === sign ? [i] : []));
  const [positive, negative] = [rows(1), rows(-1)];
  const straight = products.every((value, i) => value * value >= 0.99 * squares[i]! * squares[longest]!);
  const notes = straight ? [] : ['The rows are not parallel: more than one image, or a changed gradient.'];
  if (positive.length === 1 && negative.length > 1) return { labels: positive, notes };
  if (negative.length === 1 && positive.length > 1) return { labels: negative, notes };
  return {
    labels: undefined,
    notes: [...notes, `No single row stands against the others: ${positive.length} against ${negative.length}.`],
  };
}

/** The only i with ∂b_i < 0, whatever the activation. */
function biasRule({ biasGradient, batchSize }: LabelEvidence): Answer {
  if (batchSize !== 1) return oneImageOnly(batchSize);
  if (!biasGradient) return noBias;
  const negative = Array.from(biasGradient).filter((value) => value < 0).length;
  if (negative === 0) return { labels: undefined, notes: ['No entry of the bias gradient is negative.'] };
  const notes =
    negative === 1
      ? []
      : [
          `${negative} entries are negative, expected 1: more than one image, or a changed gradient. The smallest is taken.`,
        ];
  return { labels: [argmin(biasGradient)], notes };
}

/** The B rows with the smallest single entries (Yin et al. 2021). Names each class once at most. */
function minimumRule(evidence: LabelEvidence): Answer {
  const { weightGradient, classes, batchSize } = evidence;
  if (batchSize > classes) {
    return {
      labels: undefined,
      notes: [`Names each class once at most, but the batch of ${batchSize} is larger than the ${classes} classes.`],
    };
  }
  const size = weightGradient.length / classes;
  const smallest = Array.from({ length: classes }, (_, i) => {
    let least = Infinity;
    for (let f = 0; f < size; f++) least = Math.min(least, weightGradient[i * size + f]!);
    return least;
  });
  const negative = smallest.filter((value) => value < 0).length;
  const repeated =
    negative < batchSize
      ? [
          `Only ${negative} rows have a negative entry for ${batchSize} labels: some label is repeated, which this rule cannot say.`,
        ]
      : [];
  const order = smallest.map((_, i) => i).toSorted((a, b) => smallest[a]! - smallest[b]!);
  return { labels: order.slice(0, batchSize), notes: [...signNotes(evidence), ...repeated] };
}

/**
 * LLG (Wainakh et al. 2022) on g_i = Σ_j ∂W_ij with the impact m = (1 + 1/K)/B · Σ of the negative g, which is too small where
 * labels are many and even; measured on the network itself where the attacker has done so.
 */
function llgRule(evidence: LabelEvidence): Answer {
  const { classes, batchSize, measured } = evidence;
  const sums = rowSums(evidence);
  const negative = sumOf(sums, (value) => Math.min(0, value));
  const impact = (measured?.impact ?? (1 + 1 / classes) * negative) / batchSize;
  return emitByImpact(sums, impact, batchSize, measured?.offset, signNotes(evidence));
}

/** The same on ∂b with m = Σ of the negative ones / B: no activation enters. */
function biasLlgRule({ biasGradient, batchSize }: LabelEvidence): Answer {
  if (!biasGradient) return noBias;
  const impact = sumOf(biasGradient, (value) => Math.min(0, value)) / batchSize;
  return emitByImpact(Array.from(biasGradient), impact, batchSize, undefined, []);
}

/** One label for each negative entry, then the smallest again and again, each raised by the impact of a label. */
function emitByImpact(
  values: number[],
  impact: number,
  batchSize: number,
  offset: ArrayLike<number> | undefined,
  notes: readonly string[],
): Answer {
  const negative = values.flatMap((value, i) => (value < 0 ? [i] : []));
  if (negative.length === 0) return { labels: undefined, notes: [...notes, 'No entry is negative.'] };
  const most = negative.toSorted((a, b) => values[a]! - values[b]!).slice(0, batchSize);
  const tooMany =
    negative.length > batchSize
      ? [`${negative.length} classes look present in a batch of ${batchSize}: the most negative ones are taken.`]
      : [];
  const labels = [...most];
  for (const label of most) values[label]! -= impact;
  if (offset) values.forEach((_, i) => (values[i]! -= offset[i] ?? 0));
  while (labels.length < batchSize) {
    const label = argmin(values);
    labels.push(label);
    values[label]! -= impact;
  }
  return { labels, notes: [...notes, ...tooMany] };
}

/** What is known of the assumption a ≥ 0: from the graph, and from signs that it forbids. */
function signNotes(evidence: LabelEvidence): readonly string[] {
  const { weightGradient, biasGradient, classes, batchSize, hasNonNegativeFeatures } = evidence;
  if (hasNonNegativeFeatures === false) return ['Assumes features ≥ 0, which this network does not promise.'];
  const size = weightGradient.length / classes;
  let rowsWithNegative = 0;
  let contradicted = false;
  for (let i = 0; i < classes; i++) {
    let [least, most] = [Infinity, -Infinity];
    for (let f = 0; f < size; f++) {
      least = Math.min(least, weightGradient[i * size + f]!);
      most = Math.max(most, weightGradient[i * size + f]!);
    }
    if (least < 0) rowsWithNegative++;
    const own = biasGradient?.[i];
    if (batchSize === 1 && own !== undefined) contradicted ||= own < 0 ? most > 0 : least < 0;
    else if (batchSize === 1) contradicted ||= least < 0 && most > 0;
  }
  if (contradicted || rowsWithNegative > batchSize)
    return ['Assumes features ≥ 0, but the signs of the gradient contradict it.'];
  return hasNonNegativeFeatures ? [] : ['Assumes features ≥ 0, which could not be checked in the graph.'];
}

function rowSums({ weightGradient, classes }: LabelEvidence): number[] {
  const size = weightGradient.length / classes;
  return Array.from({ length: classes }, (_, i) => {
    let sum = 0;
    for (let f = 0; f < size; f++) sum += weightGradient[i * size + f]!;
    return sum;
  });
}

function argmin(values: ArrayLike<number>): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! < values[best]!) best = i;
  return best;
}

const sumOf = (values: ArrayLike<number>, term: (value: number) => number): number => {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += term(values[i]!);
  return sum;
};

function checkEvidence({ weightGradient, classes, batchSize, weight, ...vectors }: LabelEvidence): void {
  const fits =
    classes >= 2 &&
    batchSize >= 1 &&
    Number.isInteger(batchSize) &&
    weightGradient.length > 0 &&
    weightGradient.length % classes === 0 &&
    (weight?.length ?? weightGradient.length) === weightGradient.length &&
    [vectors.biasGradient, vectors.meanProbabilities, vectors.measured?.offset, vectors.bias].every(
      (vector) => (vector?.length ?? classes) === classes,
    );
  if (fits) return;
  throw new WorkbenchError(
    'SHAPE_MISMATCH',
    `Label recovery: expected gradients of a layer with ${classes} rows and a whole batch size, got ${weightGradient.length} weights, ${vectors.biasGradient?.length ?? 'no'} biases and batch ${batchSize}`,
  );
}
