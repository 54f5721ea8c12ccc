import type { InferContext, InferRule } from '../infer.ts';
import {
  axesOf,
  expectShape,
  fail,
  intAttribute,
  intsAttribute,
  required,
  requiredNumbers,
  sameDtype,
  shapeText,
  typeOf,
  unsupported,
} from './access.ts';
import { explicitPads, slideBack, slideOver, type Window, windowOf } from './window.ts';

/** X [N, C, …] split into batch, channels and at least `least` spatial dimensions. */
function image(context: InferContext, least = 1): { N: number; C: number; spatial: readonly number[] } {
  const { shape } = required(context, 0);
  const [N, C, ...spatial] = shape;
  if (N === undefined || C === undefined || spatial.length < least) {
    fail(context, `expected input 0 of rank ${2 + least} or more, got ${shapeText(shape)}`);
  }
  return { N, C, spatial };
}

/** X [N, C, …], W [M, C/group, k…], B [M]. */
const conv: InferRule = (context) => {
  const { N, C, spatial } = image(context);
  const [M = 0, depth = 0, ...kernel] = required(context, 1).shape;
  const group = intAttribute(context, 'group', 1);
  if (kernel.length !== spatial.length)
    fail(context, `expected a weight of rank ${spatial.length + 2}, got ${kernel.length + 2}`);
  if (depth * group !== C) fail(context, `expected ${C} input channels in the weight, got ${depth} × ${group} groups`);
  if (M % group !== 0) fail(context, `expected output channels divisible by ${group} groups, got ${M}`);
  expectShape(context, 2, [M], 'the bias');
  return [
    typeOf(sameDtype(context), [N, M, ...slideOver(context, spatial, windowOf(context, spatial.length, kernel))]),
  ];
};

/** X [N, C, …], W [C, M/group, k…], B [M]. */
const convTranspose: InferRule = (context) => {
  const { N, C, spatial } = image(context);
  const [rows = 0, depth = 0, ...kernel] = required(context, 1).shape;
  const M = depth * intAttribute(context, 'group', 1);
  if (kernel.length !== spatial.length)
    fail(context, `expected a weight of rank ${spatial.length + 2}, got ${kernel.length + 2}`);
  if (rows !== C) fail(context, `expected ${C} input channels in the weight, got ${rows}`);
  expectShape(context, 2, [M], 'the bias');
  return [
    typeOf(sameDtype(context), [N, M, ...slideBack(context, spatial, windowOf(context, spatial.length, kernel))]),
  ];
};

/** For some windows of LpPool onnxruntime expects other sizes than it makes, or reads past what auto_pad crops. */
function checkLpPool(context: InferContext, spatial: readonly number[], window: Window, made: readonly number[]): void {
  const isAutomatic = window.autoPad.startsWith('SAME');
  const expected = slideOver(context, spatial, window, true);
  const isOdd = window.ceilMode || window.dilations.some((dilation) => dilation > 1);
  if (!(isAutomatic && isOdd) && expected.every((size, i) => size === made[i])) return;
  unsupported(
    context,
    `onnxruntime disagrees with itself on these windows, which make ${shapeText(made)} of ${shapeText(spatial)}`,
    'Write the padding out: ceil_mode 0, auto_pad NOTSET and pads.',
  );
}

/** The second output, Indices, counts in the flattened input. */
const pool: InferRule = (context) => {
  const { N, C, spatial } = image(context);
  const window = windowOf(context, spatial.length);
  const sizes = slideOver(context, spatial, explicitPads(spatial, window));
  if (context.op === 'LpPool') checkLpPool(context, spatial, window, sizes);
  const shape = [N, C, ...sizes];
  const value = typeOf(required(context, 0).dtype, shape);
  return context.op === 'MaxPool' ? [value, typeOf('int64', shape)] : [value];
};

const globalPool: InferRule = (context) => {
  const { N, C, spatial } = image(context, 0);
  return [typeOf(required(context, 0).dtype, [N, C, ...spatial.map(() => 1)])];
};

const maxUnpool: InferRule = (context) => {
  const { N, C, spatial } = image(context);
  const { dtype } = required(context, 0);
  if (context.inputs[2] !== undefined) return [typeOf(dtype, requiredNumbers(context, 2, 'output_shape'))];
  const window = windowOf(context, spatial.length);
  const pads = window.pads;
  const sizes = spatial.map((size, i) => {
    const padded = (size - 1) * (window.strides[i] ?? 1) + (window.kernel[i] ?? 1);
    return padded - (pads[i] ?? 0) - (pads[i + spatial.length] ?? 0);
  });
  return [typeOf(dtype, [N, C, ...sizes])];
};

/** Depth [N, C·b², H, W] ↔ space [N, C, H·b, W·b]. */
const depthToSpace: InferRule = (context) => {
  const { N, C, spatial } = image(context, 2);
  const block = intAttribute(context, 'blocksize', 1);
  if (C % (block * block) !== 0) fail(context, `expected channels divisible by ${block}², got ${C}`);
  return [typeOf(required(context, 0).dtype, [N, C / (block * block), ...spatial.map((size) => size * block)])];
};

const spaceToDepth: InferRule = (context) => {
  const { N, C, spatial } = image(context, 2);
  const block = intAttribute(context, 'blocksize', 1);
  if (spatial.some((size) => size % block !== 0)) fail(context, `expected height and width divisible by ${block}`);
  return [typeOf(required(context, 0).dtype, [N, C * block * block, ...spatial.map((size) => size / block)])];
};

/** X [N, C, D…], grid [N, E…, rank] → [N, C, E…]. */
const gridSample: InferRule = (context) => {
  const { N, C, spatial } = image(context);
  const grid = required(context, 1).shape;
  if (grid.length !== spatial.length + 2 || grid[0] !== N || grid.at(-1) !== spatial.length) {
    fail(context, `expected a grid of shape [${N}, …, ${spatial.length}], got ${shapeText(grid)}`);
  }
  return [typeOf(required(context, 0).dtype, [N, C, ...grid.slice(1, -1)])];
};

/** theta [N, r, r+1] and size (N, C, D…) → grid [N, D…, r]. */
const affineGrid: InferRule = (context) => {
  const [N = 0, , ...spatial] = requiredNumbers(context, 1, 'size');
  expectShape(context, 0, [N, spatial.length, spatial.length + 1], 'theta');
  return [typeOf(required(context, 0).dtype, [N, ...spatial, spatial.length])];
};

/** X [N, C·Πblock, L] → [N, C, image…]. */
const col2Im: InferRule = (context) => {
  const [N = 0, rows = 0] = required(context, 0).shape;
  const sizes = requiredNumbers(context, 1, 'image_shape');
  const block = requiredNumbers(context, 2, 'block_shape').reduce((a, b) => a * b, 1);
  return [typeOf(required(context, 0).dtype, [N, rows / block, ...sizes])];
};

/** How many elements CenterCropPad puts before an axis of `from` elements to make `to` of them; crops where negative. */
export function centred(from: number, to: number): number {
  return to < from ? -Math.floor((from - to) / 2) : Math.floor((to - from) / 2);
}

const centerCropPad: InferRule = (context) => {
  const { dtype, shape } = required(context, 0);
  const sizes = requiredNumbers(context, 1, 'shape');
  const axes = axesOf(context, intsAttribute(context, 'axes') ?? shape.map((_, i) => i), shape.length);
  const result = [...shape];
  axes.forEach((axis, i) => (result[axis] = sizes[i] ?? 0));
  return [typeOf(dtype, result)];
};

export const convolution: Readonly<Record<string, InferRule>> = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: pool,
  AveragePool: pool,
  LpPool: pool,
  GlobalAveragePool: globalPool,
  GlobalMaxPool: globalPool,
  GlobalLpPool: globalPool,
  MaxUnpool: maxUnpool,
  DepthToSpace: depthToSpace,
  SpaceToDepth: spaceToDepth,
  GridSample: gridSample,
  AffineGrid: affineGrid,
  Col2Im: col2Im,
  CenterCropPad: centerCropPad,
};
