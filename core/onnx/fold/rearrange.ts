import { emptyData, int64, sizeOf, type Tensor } from '../../base/tensor.ts';
import { axisOf, fail, intAttribute, intsAttribute } from '../infer/access.ts';
import { compressedPlaces } from '../infer/indexing.ts';
import { sliceRanges } from '../infer/layout.ts';
import type { FoldRule } from './arithmetic.ts';
import { broadcastPositions, join, pick, stridesOf, viewPositions } from './elements.ts';

/** The same elements under another shape. */
const reshaped: FoldRule = (_context, [X], [output]) =>
  X === undefined || output === undefined ? undefined : [{ ...X, dims: output.shape }];

const transpose: FoldRule = (context, [X], [output]) => {
  if (X === undefined || output === undefined) return undefined;
  const order = intsAttribute(context, 'perm') ?? X.dims.map((_, i) => X.dims.length - 1 - i);
  const strides = stridesOf(X.dims);
  const turned = order.map((axis) => strides[axisOf(context, axis, X.dims.length)] ?? 1);
  return [pick(X, output.shape, viewPositions(output.shape, turned))];
};

const slice: FoldRule = (context, [X], [output]) => {
  if (X === undefined || output === undefined) return undefined;
  const strides = [...stridesOf(X.dims)];
  let offset = 0;
  for (const range of sliceRanges(context)) {
    const stride = strides[range.axis] ?? 1;
    offset += range.start * stride;
    strides[range.axis] = stride * range.step;
  }
  return [pick(X, output.shape, viewPositions(output.shape, strides, offset))];
};

const split: FoldRule = (context, [X], outputs) => {
  if (X === undefined) return undefined;
  const axis = axisOf(context, intAttribute(context, 'axis', 0), X.dims.length);
  const strides = stridesOf(X.dims);
  let start = 0;
  return outputs.map(({ shape }) => {
    const part = pick(X, shape, viewPositions(shape, strides, start * (strides[axis] ?? 1)));
    start += shape[axis] ?? 0;
    return part;
  });
};

const expand: FoldRule = (_context, [X], [output]) =>
  X === undefined || output === undefined
    ? undefined
    : [pick(X, output.shape, broadcastPositions(X.dims, output.shape))];

const tile: FoldRule = (_context, [X], [output]) => {
  if (X === undefined || output === undefined) return undefined;
  const strides = stridesOf(X.dims);
  // Each axis becomes (repeat, size): the repeat does not move in the source.
  const dims = X.dims.flatMap((dim, axis) => [dim === 0 ? 0 : (output.shape[axis] ?? 0) / dim, dim]);
  return [
    pick(
      X,
      output.shape,
      viewPositions(
        dims,
        strides.flatMap((stride) => [0, stride]),
      ),
    ),
  ];
};

const concat: FoldRule = (context, inputs, [output]) => {
  if (output === undefined) return undefined;
  const axis = axisOf(context, intAttribute(context, 'axis', 0), output.shape.length);
  const parts = inputs.filter((input): input is Tensor => input !== undefined);
  const rows = sizeOf(output.shape.slice(0, axis));
  const pieces = Array.from({ length: rows }, (_, row) =>
    parts.map((part) => {
      const block = sizeOf(part.dims.slice(axis));
      return { ...part, data: part.data.slice(row * block, (row + 1) * block) };
    }),
  );
  return [join(output.dtype, output.shape, pieces.flat())];
};

const gather: FoldRule = (context, [X, indices], [output]) => {
  if (X === undefined || indices === undefined || output === undefined) return undefined;
  const axis = axisOf(context, intAttribute(context, 'axis', 0), X.dims.length);
  const size = X.dims[axis] ?? 0;
  const block = sizeOf(X.dims.slice(axis + 1));
  const chosen = Array.from<number | bigint, number>(indices.data, (value) => {
    const index = Number(value) < 0 ? Number(value) + size : Number(value);
    return index < 0 || index >= size
      ? fail(context, `expected indices from ${-size} to ${size - 1}, got ${value}`)
      : index;
  });
  const positions = new Int32Array(sizeOf(output.shape));
  let filled = 0;
  for (let row = 0; row < sizeOf(X.dims.slice(0, axis)); row++) {
    for (const index of chosen) {
      for (let i = 0; i < block; i++) positions[filled++] = (row * size + index) * block + i;
    }
  }
  return [pick(X, output.shape, positions)];
};

const range: FoldRule = (_context, [start, , delta], [output]) => {
  if (start === undefined || delta === undefined || output === undefined) return undefined;
  const [first, step, length] = [Number(start.data[0]), Number(delta.data[0]), output.shape[0] ?? 0];
  const values = Array.from({ length }, (_, i) => first + i * step);
  if (output.dtype === 'int64') return [int64(output.shape, values)];
  if (output.dtype === 'float32') return [{ dtype: 'float32', dims: output.shape, data: Float32Array.from(values) }];
  return output.dtype === 'int32' ? [{ dtype: 'int32', dims: output.shape, data: Int32Array.from(values) }] : undefined;
};

/** Filled with the one element of attribute `value`, 0 without it. */
const constantOfShape: FoldRule = (context, _inputs, [output]) => {
  if (output === undefined) return undefined;
  const value = context.attributes['value'];
  if (value?.type !== 'tensor')
    return [{ dtype: output.dtype, dims: output.shape, data: emptyData(output.dtype, sizeOf(output.shape)) }];
  return [pick(value.value, output.shape, new Int32Array(sizeOf(output.shape)))];
};

const compress: FoldRule = (context, [X], [output]) => {
  if (X === undefined || output === undefined) return undefined;
  const { axis, kept } = compressedPlaces(context);
  const [after, size] = axis === undefined ? [1, sizeOf(X.dims)] : [sizeOf(X.dims.slice(axis + 1)), X.dims[axis] ?? 0];
  const block = kept.length * after;
  const positions = Int32Array.from({ length: sizeOf(output.shape) }, (_, i) => {
    const [row, place, last] = [Math.floor(i / block), Math.floor(i / after) % kept.length, i % after];
    return (row * size + (kept[place] ?? 0)) * after + last;
  });
  return [pick(X, output.shape, positions)];
};

const nonZero: FoldRule = (_context, [X], [output]) => {
  if (X === undefined || output === undefined) return undefined;
  const hits = Array.from(X.data, Number).flatMap((value, i) => (value === 0 ? [] : [i]));
  const dims = X.dims.length === 0 ? [1] : X.dims;
  const strides = stridesOf(dims);
  const rows = dims.map((dim, axis) => hits.map((at) => Math.floor(at / (strides[axis] ?? 1)) % dim));
  return [int64(output.shape, rows.flat())];
};

export const rearrangeFolds: Readonly<Record<string, FoldRule>> = {
  Identity: reshaped,
  Reshape: reshaped,
  Flatten: reshaped,
  Squeeze: reshaped,
  Unsqueeze: reshaped,
  Transpose: transpose,
  Slice: slice,
  Split: split,
  Expand: expand,
  Tile: tile,
  Concat: concat,
  Gather: gather,
  Range: range,
  ConstantOfShape: constantOfShape,
  Compress: compress,
  NonZero: nonZero,
};
