import { sizeOf } from '../../base/tensor.ts';
import type { InferContext, InferRule } from '../infer.ts';
import {
  axisOf,
  fail,
  intAttribute,
  required,
  requiredNumbers,
  shapeText,
  typeOf,
  unsupported,
  withDim,
} from './access.ts';

const gather: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const axis = axisOf(context, intAttribute(context, 'axis', 0), shape.length);
  return [typeOf(dtype, [...shape.slice(0, axis), ...required(context, 1).shape, ...shape.slice(axis + 1)])];
};

/** Y has the shape of the indices, of the data's rank. */
const gatherElements: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const indices = required(context, 1).shape;
  axisOf(context, intAttribute(context, 'axis', 0), shape.length);
  if (indices.length !== shape.length) fail(context, `expected indices of rank ${shape.length}, got ${indices.length}`);
  return [typeOf(dtype, indices)];
};

/** data [b…, d…], indices [b…, i…, r] → [b…, i…, d[r:]…]. */
const gatherND: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const indices = required(context, 1).shape;
  const batch = intAttribute(context, 'batch_dims', 0);
  const depth = batch + (indices.at(-1) ?? 0);
  if (indices.length === 0 || depth > shape.length) {
    fail(context, `expected index tuples of at most ${shape.length - batch}, got indices ${shapeText(indices)}`);
  }
  return [typeOf(dtype, [...indices.slice(0, -1), ...shape.slice(depth)])];
};

/** data, indices and updates of one rank; updates shaped as indices. */
const scatterElements: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const [indices, updates] = [required(context, 1).shape, required(context, 2).shape];
  axisOf(context, intAttribute(context, 'axis', 0), shape.length);
  if (indices.length !== shape.length || shapeText(indices) !== shapeText(updates)) {
    fail(
      context,
      `expected indices and updates of one shape and rank ${shape.length}, got ${shapeText(indices)} and ${shapeText(updates)}`,
    );
  }
  return [typeOf(dtype, shape)];
};

/** indices [i…, r], updates [i…, d[r:]…]. */
const scatterND: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const [indices, updates] = [required(context, 1).shape, required(context, 2).shape];
  const expected = [...indices.slice(0, -1), ...shape.slice(indices.at(-1) ?? 0)];
  if (shapeText(updates) !== shapeText(expected))
    fail(context, `expected updates of shape ${shapeText(expected)}, got ${shapeText(updates)}`);
  return [typeOf(dtype, shape)];
};

/** The new axis of size `depth` (input 1) goes in at `axis`; values (input 2) is [off, on]. */
const oneHot: InferRule = (context) => {
  const { shape } = required(context, 0);
  const [depth = 0] = requiredNumbers(context, 1, 'depth');
  const axis = axisOf(context, intAttribute(context, 'axis', -1), shape.length + 1);
  return [typeOf(required(context, 2).dtype, [...shape.slice(0, axis), depth, ...shape.slice(axis)])];
};

/** X [N, C, H, W], rois [R, 4] → [R, C, output_height, output_width]. */
const roiAlign: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const [R = 0] = required(context, 1).shape;
  const sizes = [intAttribute(context, 'output_height', 1), intAttribute(context, 'output_width', 1)];
  return [typeOf(dtype, [R, shape[1] ?? 0, ...sizes])];
};

const dependsOnImage = (context: InferContext, what: string): never =>
  unsupported(
    context,
    `${what} is computed from the input, so the shape of its result depends on the image`,
    'Export the model so that the choice does not depend on the image: multiply by a mask or use Where instead.',
  );

/** Which elements a condition keeps: those along `axis`, or of the flattened data; a short condition drops the rest. */
export function compressedPlaces(context: InferContext): {
  readonly axis: number | undefined;
  readonly kept: number[];
} {
  const { shape } = required(context, 0);
  const condition = required(context, 1);
  if (condition.constant === undefined) return dependsOnImage(context, 'the condition');
  const axis = context.attributes['axis'] && axisOf(context, intAttribute(context, 'axis', 0), shape.length);
  const size = axis === undefined ? sizeOf(shape) : (shape[axis] ?? 0);
  const values = Array.from(condition.constant.data, Number);
  if (values.length > size) fail(context, `expected a condition of at most ${size} elements, got ${values.length}`);
  return { axis, kept: values.flatMap((value, i) => (value === 0 ? [] : [i])) };
}

const compress: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const { axis, kept } = compressedPlaces(context);
  return [typeOf(dtype, axis === undefined ? [kept.length] : withDim(shape, axis, kept.length))];
};

/** Places of the elements other than 0, one row for each axis; a scalar counts as one of one axis. */
const nonZero: InferRule = (context) => {
  const { shape, constant } = required(context, 0);
  if (constant === undefined) return dependsOnImage(context, 'its input');
  const count = Array.from(constant.data, Number).filter((value) => value !== 0).length;
  return [typeOf('int64', [Math.max(1, shape.length), count])];
};

export const indexing: Readonly<Record<string, InferRule>> = {
  Gather: gather,
  GatherElements: gatherElements,
  GatherND: gatherND,
  ScatterElements: scatterElements,
  ScatterND: scatterND,
  OneHot: oneHot,
  RoiAlign: roiAlign,
  Compress: compress,
  NonZero: nonZero,
};
