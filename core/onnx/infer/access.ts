import { WorkbenchError } from '../../base/errors.ts';
import type { DType } from '../../base/tensor.ts';
import type { InferContext, InferInput, ValueType } from '../infer.ts';

/** No tensor has more dimensions: what takes so many as an input is a trap, not a model. */
export const rankLimit = 64;

export const shapeText = (shape: readonly number[]): string =>
  shape.length <= rankLimit ? `[${shape.join(', ')}]` : `[${shape.slice(0, 8).join(', ')} … ${shape.length} in all]`;

const nodeText = (context: InferContext): string =>
  context.nodeName === '' ? context.op : `${context.op} (${context.nodeName})`;

/** Throws SHAPE_MISMATCH; `message` says what was expected and what was found, the node is named here. */
export function fail(context: InferContext, message: string): never {
  const inputs = context.inputs.map((x) => (x === undefined ? '-' : `${x.dtype}${shapeText(x.shape)}`)).join(', ');
  throw new WorkbenchError('SHAPE_MISMATCH', `${nodeText(context)}: ${message}; inputs are ${inputs || 'none'}`, {
    hint: 'The graph does not fit together at this node. Check the exported file or the input size that was chosen.',
  });
}

/** Throws OP_UNSUPPORTED for a form of the op that is not covered. */
export function unsupported(
  context: InferContext,
  message: string,
  hint = 'Export the model with fixed shapes, or see docs/ops.md for the forms that are covered.',
): never {
  throw new WorkbenchError('OP_UNSUPPORTED', `${nodeText(context)}: ${message}`, { hint });
}

export function required(context: InferContext, index: number): InferInput {
  return context.inputs[index] ?? fail(context, `expected input ${index} to be given, got none`);
}

export function ofRank(context: InferContext, index: number, rank: number): InferInput {
  const value = required(context, index);
  if (value.shape.length !== rank) fail(context, `expected input ${index} of rank ${rank}, got ${value.shape.length}`);
  return value;
}

export function intAttribute(context: InferContext, name: string, fallback: number): number {
  const attribute = context.attributes[name];
  if (attribute === undefined) return fallback;
  return attribute.type === 'int'
    ? attribute.value
    : fail(context, `expected attribute ${name} of type int, got ${attribute.type}`);
}

export function intsAttribute(context: InferContext, name: string): readonly number[] | undefined {
  const attribute = context.attributes[name];
  if (attribute === undefined) return undefined;
  return attribute.type === 'ints'
    ? attribute.value
    : fail(context, `expected attribute ${name} of type ints, got ${attribute.type}`);
}

export function stringAttribute(context: InferContext, name: string, fallback: string): string {
  const attribute = context.attributes[name];
  if (attribute === undefined) return fallback;
  return attribute.type === 'string'
    ? attribute.value
    : fail(context, `expected attribute ${name} of type string, got ${attribute.type}`);
}

/** An axis in 0 … rank−1 from one that may count from the end. */
export function axisOf(context: InferContext, axis: number, rank: number): number {
  const positive = axis < 0 ? axis + rank : axis;
  if (positive < 0 || positive >= rank) fail(context, `expected an axis from ${-rank} to ${rank - 1}, got ${axis}`);
  return positive;
}

/** Axes as axisOf, each at most once. */
export function axesOf(context: InferContext, axes: readonly number[], rank: number): readonly number[] {
  if (axes.length > rankLimit) fail(context, `expected at most ${rankLimit} axes, got ${axes.length}`);
  const positive = axes.map((axis) => axisOf(context, axis, rank));
  if (new Set(positive).size !== positive.length) fail(context, `expected different axes, got ${shapeText(axes)}`);
  return positive;
}

/** The numbers of an input that must be known before running; undefined when it is absent. */
export function constantNumbers(context: InferContext, index: number, what: string): readonly number[] | undefined {
  const value = context.inputs[index];
  if (value === undefined) return undefined;
  if (value.constant === undefined)
    unsupported(context, `${what} (input ${index}) must be known before running, got a computed value`);
  return Array.from(value.constant.data, Number);
}

export function requiredNumbers(context: InferContext, index: number, what: string): readonly number[] {
  return constantNumbers(context, index, what) ?? fail(context, `expected ${what} as input ${index}, got none`);
}

/** Numpy broadcasting of any number of shapes. */
export function broadcast(context: InferContext, shapes: readonly (readonly number[])[]): readonly number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, position) => {
    let size = 1;
    for (const shape of shapes) {
      const dim = shape[position - rank + shape.length] ?? 1;
      if (dim === 1 || dim === size) continue;
      if (size !== 1) fail(context, `expected shapes that broadcast, got ${shapes.map(shapeText).join(' and ')}`);
      size = dim;
    }
    return size;
  });
}

/** Fails unless all given inputs of the range share one element type; returns it. */
export function sameDtype(context: InferContext, from = 0, to = context.inputs.length): DType {
  const { dtype } = required(context, from);
  for (const value of context.inputs.slice(from, to)) {
    if (value !== undefined && value.dtype !== dtype)
      fail(context, `expected inputs of one element type, got ${dtype} and ${value.dtype}`);
  }
  return dtype;
}

export function expectShape(context: InferContext, index: number, expected: readonly number[], what: string): void {
  const value = context.inputs[index];
  if (value === undefined) return;
  if (value.shape.length !== expected.length || value.shape.some((dim, i) => dim !== expected[i])) {
    fail(context, `expected ${what} (input ${index}) of shape ${shapeText(expected)}, got ${shapeText(value.shape)}`);
  }
}

export const typeOf = (dtype: DType, shape: readonly number[]): ValueType => ({ dtype, shape });

/** `shape` with the dimension at `axis` replaced. */
export const withDim = (shape: readonly number[], axis: number, size: number): readonly number[] =>
  shape.map((dim, i) => (i === axis ? size : dim));
