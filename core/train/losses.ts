import { WorkbenchError } from '../base/errors.ts';
import { sizeOf } from '../base/tensor.ts';
import { sameShape, type GraphBuilder, type Value } from '../autodiff/builder.ts';

/** How rows become the loss: their mean, their sum, or all of them [N]. */
export type Reduction = 'mean' | 'sum' | 'none';

export interface CrossEntropyOptions {
  /** Divides the logits; default 1. */
  readonly temperature?: number;
  /** Share of the target spread evenly over the classes (Szegedy et al. 2016); default 0. */
  readonly smoothing?: number;
  readonly reduction?: Reduction;
}

/**
 * −Σ_k q_k log softmax(z / temperature)_k per row. `logits` [N, K] float; `targets` [N] int64 classes or [N, K]
 * probabilities. With smoothing s, q ← (1 − s) q + s / K. Scalar, or [N] with reduction 'none'.
 */
export function crossEntropy(
  g: GraphBuilder,
  logits: Value,
  targets: Value,
  { temperature = 1, smoothing = 0, reduction = 'mean' }: CrossEntropyOptions = {},
): Value {
  const classes = logits.shape[1] ?? 0;
  const hard = targets.dtype === 'int64' || targets.dtype === 'int32';
  requireShape('targets', targets, hard ? logits.shape.slice(0, 1) : logits.shape);
  const q = hard ? g.oneHot(targets, classes, logits.dtype) : targets;
  const smooth = smoothing === 0 ? q : g.add(g.mul(q, 1 - smoothing), smoothing / classes);
  const logProbabilities = g.logSoftmax(g.div(logits, temperature), 1);
  return reduceRows(g, g.neg(g.reduceSum(g.mul(smooth, logProbabilities), [1])), reduction);
}

export interface DistillationOptions {
  readonly temperature: number;
  readonly reduction?: Reduction;
}

/**
 * τ²·KL(softmax(z_T/τ) ‖ softmax(z_S/τ)) per row; Hinton et al. 2015, "Distilling the knowledge in a neural network".
 * Both logits [N, K]. Has the gradient of τ²·CE(softmax(z_T/τ), softmax(z_S/τ)) and is 0 where both agree.
 */
export function distillation(
  g: GraphBuilder,
  studentLogits: Value,
  teacherLogits: Value,
  { temperature, reduction = 'mean' }: DistillationOptions,
): Value {
  requireShape('teacher logits', teacherLogits, studentLogits.shape);
  const student = g.logSoftmax(g.div(studentLogits, temperature), 1);
  const teacher = g.logSoftmax(g.div(teacherLogits, temperature), 1);
  const rows = g.reduceSum(g.mul(g.exp(teacher), g.sub(teacher, student)), [1]);
  return g.mul(reduceRows(g, rows, reduction), temperature * temperature);
}

/** Mean of |z_S − z_T| over all elements; both [N, K]. */
export function logitsL1(g: GraphBuilder, studentLogits: Value, teacherLogits: Value): Value {
  requireShape('teacher logits', teacherLogits, studentLogits.shape);
  return g.reduceMean(g.abs(g.sub(studentLogits, teacherLogits)));
}

/**
 * Σ over rows of 1 − ⟨a, b⟩ / (‖a‖‖b‖ + ε), a row being one output unit of a layer's weight (all of a vector); the layer
 * distance of Zhao et al. 2021, "Dataset condensation with gradient matching". Scalar.
 */
export function cosineDistance(g: GraphBuilder, a: Value, b: Value, epsilon = 1e-6): Value {
  requireShape('b', b, a.shape);
  const rows = a.shape.length < 2 ? 1 : (a.shape[0] ?? 1);
  const flat = (x: Value): Value => g.reshape(x, [rows, sizeOf(x.shape) / rows]);
  const [x, y] = [flat(a), flat(b)];
  const length = (v: Value): Value => g.sqrt(g.reduceSum(g.mul(v, v), [1]));
  const cosine = g.div(g.reduceSum(g.mul(x, y), [1]), g.add(g.mul(length(x), length(y)), epsilon));
  return g.reduceSum(g.sub(1, cosine));
}

/** Fraction of rows whose largest logit is the label (or the largest target), as a float32 scalar. */
export function accuracy(g: GraphBuilder, logits: Value, targets: Value): Value {
  const labels = targets.shape.length === 2 ? g.argMax(targets, 1) : targets;
  return g.reduceMean(g.cast(g.equal(g.argMax(logits, 1), g.cast(labels, 'int64')), 'float32'));
}

function reduceRows(g: GraphBuilder, rows: Value, reduction: Reduction): Value {
  if (reduction === 'none') return rows;
  return reduction === 'mean' ? g.reduceMean(rows) : g.reduceSum(rows);
}

function requireShape(what: string, value: Value, expected: readonly number[]): void {
  if (sameShape(value.shape, expected)) return;
  throw new WorkbenchError(
    'SHAPE_MISMATCH',
    `Loss: expected ${what} of shape [${expected.join(', ')}], got [${value.shape.join(', ')}]`,
  );
}
