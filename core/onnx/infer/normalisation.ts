import type { InferContext, InferRule } from '../infer.ts';
import { requireDtype } from '../element-types.ts';
import {
  axisOf,
  broadcast,
  expectShape,
  fail,
  intAttribute,
  required,
  shapeText,
  stringAttribute,
  typeOf,
} from './access.ts';

const same: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  return [typeOf(dtype, shape)];
};

function channels(context: InferContext): number {
  const { shape } = required(context, 0);
  return (
    shape[1] ?? (shape.length === 1 ? 1 : fail(context, `expected input 0 of rank 2 or more, got ${shapeText(shape)}`))
  );
}

/** X [N, C, …]; scale, B, mean, var [C]. With training_mode the new running statistics follow. */
const batchNormalization: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const C = channels(context);
  ['', 'scale', 'B', 'mean', 'var'].forEach((what, index) => {
    if (index === 0) return;
    required(context, index);
    expectShape(context, index, [C], what);
  });
  const Y = typeOf(dtype, shape);
  if (intAttribute(context, 'training_mode', 0) === 0) return [Y];
  const statistics = typeOf(required(context, 3).dtype, [C]);
  return [Y, statistics, statistics];
};

/** scale and B [C]. */
const instanceNormalization: InferRule = (context) => {
  const C = channels(context);
  expectShape(context, 1, [C], 'scale');
  expectShape(context, 2, [C], 'B');
  return same(context);
};

/** scale and bias [C] since opset 21. */
const groupNormalization: InferRule = (context) => {
  const C = channels(context);
  const groups = intAttribute(context, 'num_groups', 1);
  if (C % groups !== 0) fail(context, `expected channels divisible by ${groups} groups, got ${C}`);
  expectShape(context, 1, [C], 'scale');
  expectShape(context, 2, [C], 'bias');
  return same(context);
};

/** Y; Mean and InvStdDev with size 1 from `axis` on. */
const layerNormalization: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const axis = axisOf(context, intAttribute(context, 'axis', -1), shape.length);
  for (const index of [1, 2]) {
    const value = context.inputs[index];
    if (value === undefined) continue;
    const wide = broadcast(context, [shape.slice(axis), value.shape]);
    if (wide.length !== shape.length - axis || wide.some((dim, i) => dim !== shape[axis + i])) {
      fail(
        context,
        `expected input ${index} that broadcasts to ${shapeText(shape.slice(axis))}, got ${shapeText(value.shape)}`,
      );
    }
  }
  const stash = requireDtype(
    intAttribute(context, 'stash_type', 1),
    `LayerNormalization (${context.nodeName}), stash_type,`,
  );
  const statistics = typeOf(
    stash,
    shape.map((dim, i) => (i < axis ? dim : 1)),
  );
  return [typeOf(dtype, shape), statistics, statistics];
};

/** Checks the axis; a scalar has none. */
const alongAxis: InferRule = (context) => {
  const { shape } = required(context, 0);
  if (shape.length > 0) axisOf(context, intAttribute(context, 'axis', -1), shape.length);
  return same(context);
};

/** scores [N, C, …], labels [N, …]; loss is scalar unless reduction is none. */
const labelLoss: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const labels = required(context, 1).shape;
  const expected = shape.filter((_, i) => i !== 1);
  if (shapeText(labels) !== shapeText(expected))
    fail(context, `expected labels of shape ${shapeText(expected)}, got ${shapeText(labels)}`);
  const loss = typeOf(dtype, stringAttribute(context, 'reduction', 'mean') === 'none' ? labels : []);
  return context.op === 'SoftmaxCrossEntropyLoss' ? [loss, typeOf(dtype, shape)] : [loss];
};

export const normalisation: Readonly<Record<string, InferRule>> = {
  BatchNormalization: batchNormalization,
  InstanceNormalization: instanceNormalization,
  GroupNormalization: groupNormalization,
  LayerNormalization: layerNormalization,
  LRN: same,
  MeanVarianceNormalization: same,
  LpNormalization: alongAxis,
  Softmax: alongAxis,
  LogSoftmax: alongAxis,
  Hardmax: alongAxis,
  SoftmaxCrossEntropyLoss: labelLoss,
  NegativeLogLikelihoodLoss: labelLoss,
};
