import { sizeOf } from '../../base/tensor.ts';
import type { InferContext, InferRule } from '../infer.ts';
import {
  axesOf,
  axisOf,
  broadcast,
  constantNumbers,
  fail,
  intAttribute,
  intsAttribute,
  required,
  requiredNumbers,
  sameDtype,
  shapeText,
  stringAttribute,
  typeOf,
  withDim,
} from './access.ts';

/** 0 copies a dimension (unless allowzero), −1 is worked out. */
const reshape: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const target = requiredNumbers(context, 1, 'shape');
  const allowZero = intAttribute(context, 'allowzero', 0) !== 0;
  const wanted = target.map((dim, i) => {
    if (dim !== 0 || allowZero) return dim;
    return shape[i] ?? fail(context, `expected a dimension ${i} to copy for ${shapeText(target)}`);
  });
  const free = wanted.indexOf(-1);
  const rest = sizeOf(wanted.filter((_, i) => i !== free));
  const total = sizeOf(shape);
  const filled = free < 0 ? wanted : withDim(wanted, free, rest === 0 ? 0 : total / rest);
  if (
    wanted.some((dim) => dim < -1) ||
    wanted.lastIndexOf(-1) !== free ||
    filled.some((dim) => !Number.isInteger(dim)) ||
    sizeOf(filled) !== total
  ) {
    fail(context, `expected a target shape with ${total} elements, got ${shapeText(target)}`);
  }
  return [typeOf(dtype, filled)];
};

const flatten: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const given = intAttribute(context, 'axis', 1);
  const axis = given < 0 ? given + shape.length : given;
  if (axis < 0 || axis > shape.length)
    fail(context, `expected an axis from ${-shape.length} to ${shape.length}, got ${given}`);
  return [typeOf(dtype, [sizeOf(shape.slice(0, axis)), sizeOf(shape.slice(axis))])];
};

const transpose: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const order = intsAttribute(context, 'perm') ?? shape.map((_, i) => shape.length - 1 - i);
  if (order.length !== shape.length) fail(context, `expected perm of length ${shape.length}, got ${shapeText(order)}`);
  return [
    typeOf(
      dtype,
      axesOf(context, order, shape.length).map((axis) => shape[axis] ?? 1),
    ),
  ];
};

const squeeze: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const given = constantNumbers(context, 1, 'axes');
  if (given === undefined)
    return [
      typeOf(
        dtype,
        shape.filter((dim) => dim !== 1),
      ),
    ];
  const axes = axesOf(context, given, shape.length);
  if (axes.some((axis) => shape[axis] !== 1))
    fail(context, `expected size 1 on axes ${shapeText(given)}, got ${shapeText(shape)}`);
  return [
    typeOf(
      dtype,
      shape.filter((_, i) => !axes.includes(i)),
    ),
  ];
};

const unsqueeze: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const given = requiredNumbers(context, 1, 'axes');
  const rank = shape.length + given.length;
  const axes = axesOf(context, given, rank);
  const rest = [...shape];
  return [
    typeOf(
      dtype,
      Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : (rest.shift() ?? 1))),
    ),
  ];
};

const concat: InferRule = (context) => {
  const { shape } = required(context, 0);
  const axis = axisOf(context, intAttribute(context, 'axis', 0), shape.length);
  let total = 0;
  context.inputs.forEach((_, index) => {
    const other = required(context, index).shape;
    if (other.length !== shape.length || other.some((dim, i) => i !== axis && dim !== shape[i])) {
      fail(context, `expected shapes equal but for axis ${axis}, got ${shapeText(shape)} and ${shapeText(other)}`);
    }
    total += other[axis] ?? 0;
  });
  return [typeOf(sameDtype(context), withDim(shape, axis, total))];
};

/** Sizes from input 1, or as many equal parts as there are outputs, the last one smaller. */
const split: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const axis = axisOf(context, intAttribute(context, 'axis', 0), shape.length);
  const size = shape[axis] ?? 0;
  const count = intAttribute(context, 'num_outputs', context.outputCount);
  if (count !== context.outputCount) fail(context, `expected ${context.outputCount} as num_outputs, got ${count}`);
  const part = Math.ceil(size / count);
  const sizes =
    constantNumbers(context, 1, 'split') ?? Array.from({ length: count }, (_, i) => Math.min(part, size - i * part));
  if (sizes.reduce((a, b) => a + b, 0) !== size || sizes.some((length) => length < 0)) {
    fail(context, `expected parts that add up to ${size} on axis ${axis}, got ${shapeText(sizes)}`);
  }
  return sizes.map((length) => typeOf(dtype, withDim(shape, axis, length)));
};

/** Where a slice starts, how it steps and how many elements it takes along one dimension. */
export interface SliceRange {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** The ranges of a Slice node, starts and ends clamped as ONNX says (ends such as INT64_MAX mean "to the end"). */
export function sliceRanges(context: InferContext): readonly SliceRange[] {
  const { shape } = required(context, 0);
  const starts = requiredNumbers(context, 1, 'starts');
  const ends = requiredNumbers(context, 2, 'ends');
  const axes = axesOf(context, constantNumbers(context, 3, 'axes') ?? starts.map((_, i) => i), shape.length);
  const steps = constantNumbers(context, 4, 'steps') ?? starts.map(() => 1);
  if (ends.length !== starts.length || axes.length !== starts.length || steps.length !== starts.length) {
    fail(
      context,
      `expected starts, ends, axes and steps of one length, got ${starts.length}, ${ends.length}, ${axes.length}, ${steps.length}`,
    );
  }
  return axes.map((axis, i) => {
    const size = shape[axis] ?? 0;
    const step = steps[i] ?? 1;
    if (step === 0) fail(context, 'expected steps other than 0');
    const [low, high] = step > 0 ? [0, size] : [-1, size - 1];
    const place = (value: number): number => Math.min(Math.max(value < 0 ? value + size : value, low), high);
    const start = place(starts[i] ?? 0);
    const end = place(ends[i] ?? 0);
    return { axis, start, step, count: Math.max(0, Math.ceil((end - start) / step)) };
  });
}

const slice: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const result = sliceRanges(context).reduce((dims, range) => withDim(dims, range.axis, range.count), shape);
  return [typeOf(dtype, result)];
};

/**
 * pads: begin… then end…, over `axes` (input 3) or all; negative ones crop, before the others are made. onnxruntime
 * answers with memory that nothing was written to where more is wrapped in front than there is.
 */
const pad: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const pads = requiredNumbers(context, 1, 'pads');
  const axes = axesOf(context, constantNumbers(context, 3, 'axes') ?? shape.map((_, i) => i), shape.length);
  if (pads.length !== 2 * axes.length) fail(context, `expected ${2 * axes.length} pads, got ${pads.length}`);
  const mode = stringAttribute(context, 'mode', 'constant');
  const result = [...shape];
  axes.forEach((axis, i) => {
    const [before, after] = [pads[i] ?? 0, pads[i + axes.length] ?? 0];
    const left = (shape[axis] ?? 0) + Math.min(0, before) + Math.min(0, after);
    if (mode === 'wrap' && before > left) {
      fail(context, `expected at most ${left} elements to wrap around before axis ${axis}, got ${before}`);
    }
    const size = (shape[axis] ?? 0) + before + after;
    if (size < 0) fail(context, `expected pads that leave something on axis ${axis}, got size ${size}`);
    result[axis] = size;
  });
  return [typeOf(dtype, result)];
};

/** Broadcast in both directions. */
const expand: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  return [typeOf(dtype, broadcast(context, [shape, requiredNumbers(context, 1, 'shape')]))];
};

const tile: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const repeats = requiredNumbers(context, 1, 'repeats');
  if (repeats.length !== shape.length) fail(context, `expected ${shape.length} repeats, got ${repeats.length}`);
  return [
    typeOf(
      dtype,
      shape.map((dim, i) => dim * (repeats[i] ?? 1)),
    ),
  ];
};

const trilu: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  if (shape.length < 2) fail(context, `expected a matrix or a stack of them, got ${shapeText(shape)}`);
  return [typeOf(dtype, shape)];
};

const reverseSequence: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  return [typeOf(dtype, shape)];
};

export const layout: Readonly<Record<string, InferRule>> = {
  Reshape: reshape,
  Flatten: flatten,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Concat: concat,
  Split: split,
  Slice: slice,
  Pad: pad,
  Expand: expand,
  Tile: tile,
  Trilu: trilu,
  ReverseSequence: reverseSequence,
};
