import { sizeOf, type Tensor } from '../../base/tensor.ts';
import { isFloatDtype } from '../element-types.ts';
import type { InferContext, ValueType } from '../infer.ts';
import { axesOf } from '../infer/access.ts';
import { broadcastPositions, pick, zip } from './elements.ts';

/** Evaluates a node; undefined where it declines. `inputs` are the constants of all inputs. */
export type FoldRule = (
  context: InferContext,
  inputs: readonly (Tensor | undefined)[],
  outputs: readonly ValueType[],
) => readonly Tensor[] | undefined;

type NumberOp = (...values: number[]) => number;
type BigOp = (...values: bigint[]) => bigint | undefined;

const one = (tensor: Tensor | undefined): readonly Tensor[] | undefined =>
  tensor === undefined ? undefined : [tensor];

/** Broadcasts the given inputs and combines them element by element. */
function elementwise(onNumbers: NumberOp, onBigs?: BigOp): FoldRule {
  return (_context, inputs, [output]) => {
    const given = inputs.filter((input) => input !== undefined);
    if (output === undefined || given.length === 0) return undefined;
    const operands = given.map((tensor) => ({ tensor, positions: broadcastPositions(tensor.dims, output.shape) }));
    return one(
      zip(
        output.dtype,
        output.shape,
        operands,
        (values) => onNumbers(...values),
        onBigs && ((values) => onBigs(...values)),
      ),
    );
  };
}

/** Comparisons give bool also for 64-bit integers, so they must compare those as such. */
function comparing(test: (a: number | bigint, b: number | bigint) => boolean): FoldRule {
  return (_context, [A, B], [output]) => {
    if (A === undefined || B === undefined || output === undefined || A.dtype === 'float16') return undefined;
    const a = broadcastPositions(A.dims, output.shape);
    const b = broadcastPositions(B.dims, output.shape);
    const data = new Uint8Array(sizeOf(output.shape));
    for (let i = 0; i < data.length; i++) data[i] = Number(test(A.data[a[i]!]!, B.data[b[i]!]!));
    return [{ dtype: 'bool', dims: output.shape, data }];
  };
}

/** ONNX divides integers as C does, and never by zero. */
const divide: FoldRule = (context, inputs, outputs) => {
  const isFloat = inputs[0] !== undefined && isFloatDtype(inputs[0].dtype);
  const onNumbers: NumberOp = (a = 0, b = 0) => (isFloat ? a / b : b === 0 ? Number.NaN : Math.trunc(a / b));
  return elementwise(onNumbers, (a = 0n, b = 0n) => (b === 0n ? undefined : a / b))(context, inputs, outputs);
};

/** Integer Mod has the sign of the divisor; with fmod, of the dividend. */
const modulo: FoldRule = (context, inputs, outputs) => {
  const attribute = context.attributes['fmod'];
  if (attribute?.type === 'int' && attribute.value !== 0)
    return elementwise((a = 0, b = 0) => a % b)(context, inputs, outputs);
  return elementwise(
    (a = 0, b = 0) => (b === 0 ? Number.NaN : a - b * Math.floor(a / b)),
    (a = 0n, b = 0n) => (b === 0n ? undefined : ((a % b) + b) % b),
  )(context, inputs, outputs);
};

const select: FoldRule = (_context, [condition, X, Y], [output]) => {
  if (condition === undefined || X === undefined || Y === undefined || output === undefined) return undefined;
  const c = broadcastPositions(condition.dims, output.shape);
  const [x, y] = [broadcastPositions(X.dims, output.shape), broadcastPositions(Y.dims, output.shape)];
  const [whenTrue, whenFalse] = [pick(X, output.shape, x), pick(Y, output.shape, y)];
  const data = whenFalse.data.slice();
  const result = { dtype: output.dtype, dims: output.shape, data };
  const [from, to] = [new Uint8Array(whenTrue.data.buffer), new Uint8Array(data.buffer)];
  const size = data.BYTES_PER_ELEMENT;
  for (let i = 0; i < data.length; i++) {
    if (condition.data[c[i]!]) to.set(from.subarray(i * size, (i + 1) * size), i * size);
  }
  return [result];
};

const cast: FoldRule = (_context, [X], [output]) => {
  if (X === undefined || output === undefined) return undefined;
  if (X.dtype === output.dtype) return [X];
  return one(
    zip(
      output.dtype,
      output.shape,
      [{ tensor: X, positions: broadcastPositions(X.dims, X.dims) }],
      ([x = 0]) => x,
      ([x = 0n]) => x,
    ),
  );
};

/** Max with the low bound, then Min with the high one, where they are given. */
const clip: FoldRule = (context, [X, low, high], outputs) => {
  const limited = (value: Tensor | undefined, bound: Tensor | undefined, op: 'Max' | 'Min'): Tensor | undefined =>
    value === undefined || bound === undefined ? value : arithmeticFolds[op]?.(context, [value, bound], outputs)?.[0];
  const result = limited(limited(X, low, 'Max'), high, 'Min');
  return result === undefined ? undefined : [result];
};

/** Reduces by folding pairs; the same fold for all axes that ONNX gives in input 1. */
function reducing(onNumbers: NumberOp, onBigs: BigOp, start: number, mean = false): FoldRule {
  return (context, [X, axesInput], [output]) => {
    if (X === undefined || output === undefined || X.dtype === 'float16') return undefined;
    const rank = X.dims.length;
    const given = axesInput === undefined ? [] : Array.from(axesInput.data, Number);
    const noop = context.attributes['noop_with_empty_axes'];
    if (given.length === 0 && noop?.type === 'int' && noop.value !== 0) return [X];
    const axes = given.length === 0 ? X.dims.map((_, i) => i) : axesOf(context, given, rank);
    const kept = X.dims.map((dim, i) => (axes.includes(i) ? 1 : dim));
    const target = broadcastPositions(kept, X.dims);
    const count = sizeOf(X.dims) / Math.max(1, sizeOf(kept));
    const dims = output.shape;
    if (X.data instanceof BigInt64Array) {
      if (mean) return undefined;
      const data = new BigInt64Array(sizeOf(kept)).fill(
        Number.isFinite(start) ? BigInt(start) : start > 0 ? 2n ** 63n - 1n : -(2n ** 63n),
      );
      for (let i = 0; i < X.data.length; i++) data[target[i]!] = onBigs(data[target[i]!]!, X.data[i]!) ?? 0n;
      return [{ dtype: 'int64', dims, data }];
    }
    if (!(X.data instanceof Float32Array)) return undefined;
    const sums = new Float64Array(sizeOf(kept)).fill(start);
    for (let i = 0; i < X.data.length; i++) sums[target[i]!] = onNumbers(sums[target[i]!]!, X.data[i]!);
    return [{ dtype: 'float32', dims, data: Float32Array.from(sums, (sum) => (mean ? sum / count : sum)) }];
  };
}

const bigMin: BigOp = (...values) => values.reduce((a, b) => (a < b ? a : b));
const bigMax: BigOp = (...values) => values.reduce((a, b) => (a > b ? a : b));
/** Halves go to the even neighbour. */
const roundEven = (x: number): number => (Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));

export const arithmeticFolds: Readonly<Record<string, FoldRule>> = {
  Add: elementwise(
    (a = 0, b = 0) => a + b,
    (a = 0n, b = 0n) => a + b,
  ),
  Sub: elementwise(
    (a = 0, b = 0) => a - b,
    (a = 0n, b = 0n) => a - b,
  ),
  Mul: elementwise(
    (a = 0, b = 0) => a * b,
    (a = 0n, b = 0n) => a * b,
  ),
  Div: divide,
  Mod: modulo,
  Pow: elementwise((a = 0, b = 0) => a ** b),
  Min: elementwise((...values) => Math.min(...values), bigMin),
  Max: elementwise((...values) => Math.max(...values), bigMax),
  Clip: clip,
  Relu: elementwise(
    (x = 0) => Math.max(x, 0),
    (x = 0n) => (x > 0n ? x : 0n),
  ),
  Sign: elementwise(
    (x = 0) => Math.sign(x),
    (x = 0n) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
  ),
  Neg: elementwise(
    (x = 0) => -x,
    (x = 0n) => -x,
  ),
  Abs: elementwise(
    (x = 0) => Math.abs(x),
    (x = 0n) => (x < 0n ? -x : x),
  ),
  Sqrt: elementwise((x = 0) => Math.sqrt(x)),
  Exp: elementwise((x = 0) => Math.exp(x)),
  Log: elementwise((x = 0) => Math.log(x)),
  Reciprocal: elementwise((x = 0) => 1 / x),
  Floor: elementwise((x = 0) => Math.floor(x)),
  Ceil: elementwise((x = 0) => Math.ceil(x)),
  Round: elementwise((x = 0) => roundEven(x)),
  Not: elementwise((x = 0) => Number(x === 0)),
  And: elementwise((a = 0, b = 0) => Number(a !== 0 && b !== 0)),
  Or: elementwise((a = 0, b = 0) => Number(a !== 0 || b !== 0)),
  Equal: comparing((a, b) => a === b),
  Greater: comparing((a, b) => a > b),
  Less: comparing((a, b) => a < b),
  GreaterOrEqual: comparing((a, b) => a >= b),
  LessOrEqual: comparing((a, b) => a <= b),
  Where: select,
  Cast: cast,
  CastLike: cast,
  ReduceProd: reducing(
    (a = 1, b = 1) => a * b,
    (a = 1n, b = 1n) => a * b,
    1,
  ),
  ReduceSum: reducing(
    (a = 0, b = 0) => a + b,
    (a = 0n, b = 0n) => a + b,
    0,
  ),
  ReduceMean: reducing(
    (a = 0, b = 0) => a + b,
    (a = 0n, b = 0n) => a + b,
    0,
    true,
  ),
  ReduceMin: reducing((a = 0, b = 0) => Math.min(a, b), bigMin, Number.POSITIVE_INFINITY),
  ReduceMax: reducing((a = 0, b = 0) => Math.max(a, b), bigMax, Number.NEGATIVE_INFINITY),
};
