import { invariant } from '../base/errors.ts';
import { float32, int64, sizeOf, type DType } from '../base/tensor.ts';
import { codeOfDtype } from '../onnx/element-types.ts';
import type { Attribute } from '../onnx/graph.ts';
import { float, int, ints, string } from './attributes.ts';
import { Emitter, type Value } from './emitter.ts';
import { arrayOf, filled } from './filled.ts';

export type { Value } from './emitter.ts';

/** A value, or a number that becomes a scalar constant of the other operand's type. */
export type Operand = Value | number;

export interface ConvAttributes {
  readonly strides?: readonly number[];
  /** Begin of each axis, then end of each axis. */
  readonly pads?: readonly number[];
  readonly dilations?: readonly number[];
  readonly group?: number;
}

interface PoolAttributes {
  readonly kernel: readonly number[];
  readonly strides?: readonly number[];
  readonly pads?: readonly number[];
  readonly dilations?: readonly number[];
  readonly ceilMode?: boolean;
}

/** Standard ONNX operators as functions on values. House opset; axes may be negative. */
export class GraphBuilder extends Emitter {
  /** What each value made by `expand` was made from. */
  readonly #narrow = new Map<Value, Value>();

  #one(op: string, inputs: readonly (Value | undefined)[], attributes: Record<string, Attribute> = {}): Value {
    const [value] = this.op(op, inputs, attributes);
    invariant(value, `${op} has an output`);
    return value;
  }

  #pair(op: string, a: Operand, b: Operand): Value {
    if (typeof a === 'number') {
      invariant(typeof b !== 'number', `${op} has a value among its operands`);
      return this.#one(op, [this.scalar(a, b.dtype), b]);
    }
    if (typeof b === 'number') return this.#one(op, [a, this.scalar(b, a.dtype)]);
    // Elementwise operators broadcast by themselves: an expanded operand is used as it was before.
    const [narrowA, narrowB] = [this.#narrow.get(a), this.#narrow.get(b)];
    if (narrowA && sameShape(a.shape, b.shape)) return this.#one(op, [narrowA, b]);
    if (narrowB && sameShape(a.shape, b.shape)) return this.#one(op, [a, narrowB]);
    return this.#one(op, [a, b]);
  }

  // Constants
  scalar(value: number, dtype: DType = 'float32'): Value {
    return this.full([], value, dtype);
  }
  /** A constant filled with one number; large ones are computed at run time from the shape. */
  full(shape: readonly number[], value: number, dtype: DType = 'float32'): Value {
    const size = shape.reduce((a, b) => a * b, 1);
    const one = filled(dtype, 1, value);
    if (size <= 64) return this.constant({ ...filled(dtype, size, value), dims: shape });
    return this.#one('ConstantOfShape', [this.ints(shape)], { value: { type: 'tensor', value: one } });
  }
  ints(values: readonly number[]): Value {
    return this.constant(int64([values.length], values));
  }
  floats(shape: readonly number[], values: readonly number[]): Value {
    return this.constant(float32(shape, values));
  }

  // Elementwise
  add(a: Operand, b: Operand): Value {
    return this.#pair('Add', a, b);
  }
  sub(a: Operand, b: Operand): Value {
    return this.#pair('Sub', a, b);
  }
  mul(a: Operand, b: Operand): Value {
    if (b === 1 && typeof a !== 'number') return a;
    if (a === 1 && typeof b !== 'number') return b;
    return this.#pair('Mul', a, b);
  }
  div(a: Operand, b: Operand): Value {
    if (b === 1 && typeof a !== 'number') return a;
    return this.#pair('Div', a, b);
  }
  pow(a: Operand, b: Operand): Value {
    return this.#pair('Pow', a, b);
  }
  neg(x: Value): Value {
    return this.#one('Neg', [x]);
  }
  abs(x: Value): Value {
    return this.#one('Abs', [x]);
  }
  sqrt(x: Value): Value {
    return this.#one('Sqrt', [x]);
  }
  exp(x: Value): Value {
    return this.#one('Exp', [x]);
  }
  log(x: Value): Value {
    return this.#one('Log', [x]);
  }
  reciprocal(x: Value): Value {
    return this.#one('Reciprocal', [x]);
  }
  sign(x: Value): Value {
    return this.#one('Sign', [x]);
  }
  floor(x: Value): Value {
    return this.#one('Floor', [x]);
  }
  sin(x: Value): Value {
    return this.#one('Sin', [x]);
  }
  cos(x: Value): Value {
    return this.#one('Cos', [x]);
  }
  tanh(x: Value): Value {
    return this.#one('Tanh', [x]);
  }
  sigmoid(x: Value): Value {
    return this.#one('Sigmoid', [x]);
  }
  erf(x: Value): Value {
    return this.#one('Erf', [x]);
  }
  relu(x: Value): Value {
    return this.#one('Relu', [x]);
  }
  leakyRelu(x: Value, alpha = 0.01): Value {
    return this.#one('LeakyRelu', [x], { alpha: float(alpha) });
  }
  softplus(x: Value): Value {
    return this.#one('Softplus', [x]);
  }
  clip(x: Value, low?: number, high?: number): Value {
    const bound = (value: number | undefined): Value | undefined =>
      value === undefined ? undefined : this.scalar(value, x.dtype);
    return this.#one('Clip', [x, bound(low), bound(high)]);
  }
  max(a: Operand, b: Operand): Value {
    return this.#pair('Max', a, b);
  }
  min(a: Operand, b: Operand): Value {
    return this.#pair('Min', a, b);
  }
  sumOf(values: readonly Value[]): Value {
    const [first, ...rest] = values;
    invariant(first, 'a sum has at least one term');
    return rest.length === 0 ? first : rest.length === 1 ? this.add(first, values[1]!) : this.#one('Sum', values);
  }
  greater(a: Operand, b: Operand): Value {
    return this.#pair('Greater', a, b);
  }
  greaterOrEqual(a: Operand, b: Operand): Value {
    return this.#pair('GreaterOrEqual', a, b);
  }
  less(a: Operand, b: Operand): Value {
    return this.#pair('Less', a, b);
  }
  lessOrEqual(a: Operand, b: Operand): Value {
    return this.#pair('LessOrEqual', a, b);
  }
  equal(a: Operand, b: Operand): Value {
    return this.#pair('Equal', a, b);
  }
  and(a: Value, b: Value): Value {
    return this.#one('And', [a, b]);
  }
  not(a: Value): Value {
    return this.#one('Not', [a]);
  }
  where(condition: Value, a: Operand, b: Operand): Value {
    const dtype = typeof a !== 'number' ? a.dtype : typeof b !== 'number' ? b.dtype : 'float32';
    const lift = (x: Operand): Value => (typeof x === 'number' ? this.scalar(x, dtype) : x);
    return this.#one('Where', [condition, lift(a), lift(b)]);
  }
  cast(x: Value, dtype: DType): Value {
    return x.dtype === dtype ? x : this.#one('Cast', [x], { to: int(codeOfDtype(dtype)) });
  }

  // Linear algebra
  matmul(a: Value, b: Value): Value {
    return this.#one('MatMul', [a, b]);
  }
  gemm(
    a: Value,
    b: Value,
    options: { transA?: boolean; transB?: boolean; alpha?: number; beta?: number; c?: Value | undefined } = {},
  ): Value {
    return this.#one('Gemm', [a, b, options.c], {
      ...(options.transA ? { transA: int(1) } : {}),
      ...(options.transB ? { transB: int(1) } : {}),
      ...(options.alpha === undefined || options.alpha === 1 ? {} : { alpha: float(options.alpha) }),
      ...(options.beta === undefined || options.beta === 1 ? {} : { beta: float(options.beta) }),
    });
  }
  conv(x: Value, weight: Value, bias?: Value, options: ConvAttributes = {}): Value {
    return this.#one('Conv', [x, weight, bias], convAttributes(weight, options));
  }
  convTranspose(
    x: Value,
    weight: Value,
    bias?: Value,
    options: ConvAttributes & { outputPadding?: readonly number[] } = {},
  ): Value {
    return this.#one('ConvTranspose', [x, weight, bias], {
      ...convAttributes(weight, options),
      ...(options.outputPadding?.some((p) => p !== 0) ? { output_padding: ints(options.outputPadding) } : {}),
    });
  }
  maxPool(x: Value, options: PoolAttributes): Value {
    return this.#one('MaxPool', [x], poolAttributes(options));
  }
  /** Undoes a pool over windows that do not overlap: `x` at `indices` of zeros. */
  maxUnpool(x: Value, indices: Value, kernel: readonly number[]): Value {
    return this.#one('MaxUnpool', [x, indices], { kernel_shape: ints(kernel), strides: ints(kernel) });
  }
  averagePool(x: Value, options: PoolAttributes & { countIncludePad?: boolean }): Value {
    return this.#one('AveragePool', [x], {
      ...poolAttributes(options),
      ...(options.countIncludePad ? { count_include_pad: int(1) } : {}),
    });
  }
  globalAveragePool(x: Value): Value {
    return this.#one('GlobalAveragePool', [x]);
  }

  // Normalisation and softmax
  softmax(x: Value, axis = -1): Value {
    return this.#one('Softmax', [x], { axis: int(axis) });
  }
  logSoftmax(x: Value, axis = -1): Value {
    return this.#one('LogSoftmax', [x], { axis: int(axis) });
  }

  // Reductions: axes may be negative; all axes when absent
  #reduce(op: string, x: Value, axes: readonly number[] | undefined, keepDims: boolean): Value {
    if (axes?.length === 0) return x;
    const [inner, outer] =
      (op === 'ReduceSum' || op === 'ReduceMean') && axes ? innermost(axes, x.shape.length) : [[], []];
    if (inner.length > 0 && outer.length > 0) {
      const kept = this.#reduce(op, this.#reduce(op, x, inner, true), outer, true);
      return keepDims
        ? kept
        : this.reshape(
            kept,
            x.shape.filter((_, i) => !inner.includes(i) && !outer.includes(i)),
          );
    }
    return this.#one(op, [x, axes && this.ints(axes)], { keepdims: int(keepDims ? 1 : 0) });
  }
  reduceSum(x: Value, axes?: readonly number[], keepDims = false): Value {
    return this.#reduce('ReduceSum', x, axes, keepDims);
  }
  reduceMean(x: Value, axes?: readonly number[], keepDims = false): Value {
    return this.#reduce('ReduceMean', x, axes, keepDims);
  }
  reduceMax(x: Value, axes?: readonly number[], keepDims = false): Value {
    return this.#reduce('ReduceMax', x, axes, keepDims);
  }
  reduceL1(x: Value, axes?: readonly number[], keepDims = false): Value {
    return this.#reduce('ReduceL1', x, axes, keepDims);
  }
  reduceSumSquare(x: Value, axes?: readonly number[], keepDims = false): Value {
    return this.#reduce('ReduceSumSquare', x, axes, keepDims);
  }
  argMax(x: Value, axis: number, keepDims = false): Value {
    return this.#one('ArgMax', [x], { axis: int(axis), keepdims: int(keepDims ? 1 : 0) });
  }

  // Shape
  reshape(x: Value, shape: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x;
    // A size of 0 means the same size as before, unless it is said to mean none.
    const isEmpty: Record<string, Attribute> = shape.includes(0) ? { allowzero: int(1) } : {};
    return this.#one('Reshape', [x, this.ints(shape)], isEmpty);
  }
  flatten(x: Value, axis = 1): Value {
    return this.#one('Flatten', [x], { axis: int(axis) });
  }
  transpose(x: Value, permutation: readonly number[]): Value {
    return permutation.every((axis, i) => axis === i) ? x : this.#one('Transpose', [x], { perm: ints(permutation) });
  }
  squeeze(x: Value, axes: readonly number[]): Value {
    return this.#one('Squeeze', [x, this.ints(axes)]);
  }
  unsqueeze(x: Value, axes: readonly number[]): Value {
    return this.#one('Unsqueeze', [x, this.ints(axes)]);
  }
  concat(values: readonly Value[], axis: number): Value {
    return values.length === 1 && values[0] ? values[0] : this.#one('Concat', values, { axis: int(axis) });
  }
  slice(
    x: Value,
    axes: readonly number[],
    starts: readonly number[],
    ends: readonly number[],
    steps?: readonly number[],
  ): Value {
    return this.#one('Slice', [x, this.ints(starts), this.ints(ends), this.ints(axes), steps && this.ints(steps)]);
  }
  split(x: Value, axis: number, sizes: readonly number[]): readonly Value[] {
    return this.op('Split', [x, this.ints(sizes)], { axis: int(axis) }, { outputs: sizes.length });
  }
  /** Constant padding; `pads` has the begin of every axis, then the end of every axis. */
  pad(x: Value, pads: readonly number[], value = 0): Value {
    if (pads.every((p) => p === 0)) return x;
    return this.#one('Pad', [x, this.ints(pads), this.scalar(value, x.dtype)], { mode: string('constant') });
  }
  /** Broadcasts to `shape`. */
  expand(x: Value, shape: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x;
    // Multiplying by ones is two to three times faster in onnxruntime than Expand, but for a single number.
    const product = sizeOf(x.shape) > 1 && x.dtype.startsWith('float') && x.shape.length === shape.length;
    const ones = shape.map((size, i) => (x.shape[i] === size ? 1 : size));
    const wide = product
      ? this.#one('Mul', [x, this.full(ones, 1, x.dtype)])
      : this.#one('Expand', [x, this.ints(shape)]);
    this.#narrow.set(wide, x);
    return wide;
  }
  gather(x: Value, indices: Value, axis: number): Value {
    return this.#one('Gather', [x, indices], { axis: int(axis) });
  }
  gatherElements(x: Value, indices: Value, axis: number): Value {
    return this.#one('GatherElements', [x, indices], { axis: int(axis) });
  }
  scatterElements(x: Value, indices: Value, updates: Value, axis: number, reduction: 'none' | 'add' = 'none'): Value {
    return this.#one('ScatterElements', [x, indices, updates], { axis: int(axis), reduction: string(reduction) });
  }
  /** [N] int64 labels → [N, depth] rows with `on` at the label. */
  oneHot(labels: Value, depth: number, dtype: DType = 'float32'): Value {
    const values = this.constant({ ...filled(dtype, 2, 0), data: arrayOf(dtype, [0, 1]) });
    return this.#one('OneHot', [labels, this.constant(int64([], [depth])), values], { axis: int(-1) });
  }
  affineGrid(theta: Value, size: readonly number[], alignCorners = false): Value {
    return this.#one('AffineGrid', [theta, this.ints(size)], { align_corners: int(alignCorners ? 1 : 0) });
  }

  /** The only unbroadcast: sums `x` over the axes along which a value of `shape` was broadcast to x's shape. */
  sumTo(x: Value, shape: readonly number[]): Value {
    if (sameShape(x.shape, shape)) return x;
    const extra = x.shape.length - shape.length;
    const axes = x.shape.flatMap((size, axis) => {
      if (axis < extra) return [axis];
      return shape[axis - extra] === 1 && size !== 1 ? [axis] : [];
    });
    const lead = this.reduceSum(x, axes, true);
    const result = this.reshape(lead, shape);
    return result;
  }
}

function convAttributes(weight: Value, options: ConvAttributes): Record<string, Attribute> {
  return {
    kernel_shape: ints(weight.shape.slice(2)),
    ...(options.strides ? { strides: ints(options.strides) } : {}),
    ...(options.pads ? { pads: ints(options.pads) } : {}),
    ...(options.dilations ? { dilations: ints(options.dilations) } : {}),
    ...(options.group === undefined || options.group === 1 ? {} : { group: int(options.group) }),
  };
}

function poolAttributes(options: PoolAttributes): Record<string, Attribute> {
  return {
    kernel_shape: ints(options.kernel),
    strides: ints(options.strides ?? options.kernel),
    ...(options.pads ? { pads: ints(options.pads) } : {}),
    ...(options.dilations ? { dilations: ints(options.dilations) } : {}),
    ...(options.ceilMode ? { ceil_mode: int(1) } : {}),
  };
}

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

/** Axes split into the run of last axes and the others: reducing those first is up to four times faster. */
function innermost(axes: readonly number[], rank: number): [number[], number[]] {
  const positive = axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  const inner: number[] = [];
  while (positive.at(-1) === rank - 1 - inner.length) inner.push(positive.pop() ?? 0);
  return [inner.reverse(), positive];
}
