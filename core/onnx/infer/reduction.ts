import type { InferContext, InferRule } from '../infer.ts';
import {
  axesOf,
  axisOf,
  constantNumbers,
  fail,
  intAttribute,
  required,
  requiredNumbers,
  typeOf,
  withDim,
} from './access.ts';

function reducedShape(shape: readonly number[], axes: readonly number[], keep: boolean): readonly number[] {
  return keep ? shape.map((dim, i) => (axes.includes(i) ? 1 : dim)) : shape.filter((_, i) => !axes.includes(i));
}

/** Axes are input 1; without any, all are reduced unless noop_with_empty_axes is set. */
const reduce: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const given = constantNumbers(context, 1, 'axes') ?? [];
  if (given.length === 0 && intAttribute(context, 'noop_with_empty_axes', 0) !== 0) return [typeOf(dtype, shape)];
  const axes = given.length === 0 ? shape.map((_, i) => i) : axesOf(context, given, shape.length);
  return [typeOf(dtype, reducedShape(shape, axes, intAttribute(context, 'keepdims', 1) !== 0))];
};

const arg: InferRule = (context) => {
  const { shape } = required(context, 0);
  const axis = axisOf(context, intAttribute(context, 'axis', 0), shape.length);
  return [typeOf('int64', reducedShape(shape, [axis], intAttribute(context, 'keepdims', 1) !== 0))];
};

const along = (context: InferContext): number =>
  axisOf(context, intAttribute(context, 'axis', -1), required(context, 0).shape.length);

/** Values and their indices along an axis, K of them. */
const topK: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const axis = along(context);
  const [K = 0] = requiredNumbers(context, 1, 'K');
  if (K > (shape[axis] ?? 0)) fail(context, `expected K of at most ${shape[axis]} on axis ${axis}, got ${K}`);
  const result = withDim(shape, axis, K);
  return [typeOf(dtype, result), typeOf('int64', result)];
};

const cumSum: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const axis = context.inputs[1]?.constant;
  if (axis !== undefined) axisOf(context, Number(axis.data[0]), shape.length);
  return [typeOf(dtype, shape)];
};

export const reduction: Readonly<Record<string, InferRule>> = {
  ...Object.fromEntries(
    ['Sum', 'Mean', 'Max', 'Min', 'Prod', 'L1', 'L2', 'LogSum', 'LogSumExp', 'SumSquare'].map((name) => [
      `Reduce${name}`,
      reduce,
    ]),
  ),
  ArgMax: arg,
  ArgMin: arg,
  TopK: topK,
  CumSum: cumSum,
};
