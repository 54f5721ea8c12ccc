import { bytesPerElement, type DType, emptyData, sizeOf, type Tensor, type TensorData } from '../../base/tensor.ts';

type BigData = BigInt64Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>;
type NumberData = Exclude<TensorData, BigData>;

const isBig = (data: TensorData): data is BigData => data instanceof BigInt64Array || data instanceof BigUint64Array;

/** A tensor of the elements of `source` at the given flat positions, bits kept. */
export function pick(source: Tensor, dims: readonly number[], positions: ArrayLike<number>): Tensor {
  const data = emptyData(source.dtype, positions.length);
  copyElements(source.data, positions, data);
  return { dtype: source.dtype, dims, data };
}

function copyElements(from: TensorData, positions: ArrayLike<number>, to: TensorData): void {
  if (isBig(from) && isBig(to)) {
    for (let i = 0; i < positions.length; i++) to[i] = from[positions[i]!]!;
  } else if (!isBig(from) && !isBig(to)) {
    for (let i = 0; i < positions.length; i++) to[i] = from[positions[i]!]!;
  }
}

/** The parts one after another in memory. All of one element type. */
export function join(dtype: DType, dims: readonly number[], parts: readonly Tensor[]): Tensor {
  const data = emptyData(dtype, sizeOf(dims));
  const bytes = new Uint8Array(data.buffer);
  let offset = 0;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.data.buffer, part.data.byteOffset, part.data.byteLength), offset);
    offset += part.data.length * bytesPerElement(dtype);
  }
  return { dtype, dims, data };
}

/** Row-major strides of a shape, in elements. */
export const stridesOf = (dims: readonly number[]): readonly number[] =>
  dims.map((_, axis) => sizeOf(dims.slice(axis + 1)));

/** Flat positions of a strided view: Σ index·stride + offset over all indices of `dims` in row-major order. */
export function viewPositions(dims: readonly number[], strides: readonly number[], offset = 0): Int32Array {
  const positions = new Int32Array(sizeOf(dims));
  if (positions.length === 0) return positions;
  positions[0] = offset;
  let filled = 1;
  for (let axis = dims.length - 1; axis >= 0; axis--) {
    const block = filled;
    for (let index = 1; index < dims[axis]!; index++) {
      const shift = index * strides[axis]!;
      for (let i = 0; i < block; i++) positions[filled++] = positions[i]! + shift;
    }
  }
  return positions;
}

/** For each element of the broadcast shape, where it lies in a tensor of shape `from`. */
export function broadcastPositions(from: readonly number[], to: readonly number[]): Int32Array {
  const strides = stridesOf(from);
  const lead = to.length - from.length;
  return viewPositions(
    to,
    to.map((_, axis) => ((from[axis - lead] ?? 1) === 1 ? 0 : (strides[axis - lead] ?? 0))),
  );
}

export interface Operand {
  readonly tensor: Tensor;
  readonly positions: Int32Array;
}

/**
 * Element by element in float64 arithmetic, or in BigInt for 64-bit integers. undefined when an operand cannot be
 * computed with (float16 bits) or when the operation refuses the values (division of integers by zero).
 */
export function zip(
  dtype: DType,
  dims: readonly number[],
  operands: readonly Operand[],
  onNumbers: (values: readonly number[]) => number,
  onBigs?: (values: readonly bigint[]) => bigint | undefined,
): Tensor | undefined {
  const sources = operands.map(({ tensor }) => tensor.data);
  if (dtype === 'float16' || operands.some(({ tensor }) => tensor.dtype === 'float16')) return undefined;
  const data = emptyData(dtype, sizeOf(dims));
  if (sources.length > 0 && sources.every(isBig) && isBig(data)) {
    if (onBigs === undefined) return undefined;
    for (let i = 0; i < data.length; i++) {
      const value = onBigs(sources.map((source, k) => source[operands[k]!.positions[i]!]!));
      if (value === undefined) return undefined;
      data[i] = value;
    }
    return { dtype, dims, data };
  }
  for (let i = 0; i < data.length; i++) {
    const value = onNumbers(sources.map((source, k) => Number(source[operands[k]!.positions[i]!])));
    if (!store(dtype, data, i, value)) return undefined;
  }
  return { dtype, dims, data };
}

/** Writes a number as an element; false for a value that the integer type cannot hold. */
function store(dtype: DType, data: NumberData | BigData, index: number, value: number): boolean {
  if (isBig(data)) {
    if (!Number.isFinite(value)) return false;
    data[index] = BigInt(Math.trunc(value));
  } else if (dtype === 'float32' || dtype === 'float64') {
    data[index] = value;
  } else {
    if (!Number.isFinite(value)) return false;
    data[index] = dtype === 'bool' ? Number(value !== 0) : Math.trunc(value);
  }
  return true;
}
