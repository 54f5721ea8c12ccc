import { WorkbenchError } from './errors.ts';

/** Element types that the engine computes with. ONNX names, lower case. */
export const dtypes = [
  'float32',
  'float64',
  'float16',
  'int8',
  'int16',
  'int32',
  'int64',
  'uint8',
  'uint16',
  'uint32',
  'uint64',
  'bool',
] as const;
export type DType = (typeof dtypes)[number];

export type TensorData =
  | Float32Array<ArrayBuffer>
  | Float64Array<ArrayBuffer>
  | Int8Array<ArrayBuffer>
  | Int16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>
  | Uint16Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | BigInt64Array<ArrayBuffer>
  | BigUint64Array<ArrayBuffer>;

/** A dense row-major array. `float16` holds raw bits in a Uint16Array; `bool` holds 0 or 1 in a Uint8Array. */
export interface Tensor {
  readonly dtype: DType;
  readonly dims: readonly number[];
  readonly data: TensorData;
}

/** A tensor of 32-bit floats: what images, logits and parameters are made of. */
export interface FloatTensor extends Tensor {
  readonly dtype: 'float32';
  readonly data: Float32Array<ArrayBuffer>;
}

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Uint16Array,
  int8: Int8Array,
  int16: Int16Array,
  int32: Int32Array,
  int64: BigInt64Array,
  uint8: Uint8Array,
  uint16: Uint16Array,
  uint32: Uint32Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
} as const;

export const bytesPerElement = (dtype: DType): number => constructors[dtype].BYTES_PER_ELEMENT;

/** Number of elements of a shape; 1 for a scalar. */
export const sizeOf = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

export function emptyData(dtype: DType, length: number): TensorData {
  return new constructors[dtype](length);
}

/** Views bytes as a typed array; copies when the offset is not aligned. `bytes` must be little-endian, as ONNX stores it. */
export function viewBytes(dtype: DType, bytes: Uint8Array): TensorData {
  const Constructor = constructors[dtype];
  const size = Constructor.BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 && bytes.buffer instanceof ArrayBuffer;
  // Not slice(): that of a Node Buffer does not copy.
  const source = aligned ? bytes : new Uint8Array(bytes);
  return new Constructor(source.buffer as ArrayBuffer, source.byteOffset, bytes.byteLength / size);
}

export function tensor(dtype: DType, dims: readonly number[], data: TensorData): Tensor {
  if (data.length !== sizeOf(dims)) {
    throw new WorkbenchError(
      'SHAPE_MISMATCH',
      `Tensor of shape [${dims.join(', ')}] needs ${sizeOf(dims)} elements, got ${data.length}`,
    );
  }
  return { dtype, dims, data };
}

export function float32(dims: readonly number[], data: Float32Array<ArrayBuffer> | readonly number[]): FloatTensor {
  const values = data instanceof Float32Array ? data : Float32Array.from(data);
  return tensor('float32', dims, values) as FloatTensor;
}

export function int64(dims: readonly number[], values: readonly number[] | BigInt64Array<ArrayBuffer>): Tensor {
  return tensor('int64', dims, values instanceof BigInt64Array ? values : BigInt64Array.from(values, BigInt));
}

export const zeros = (dims: readonly number[], dtype: DType = 'float32'): Tensor => ({
  dtype,
  dims,
  data: emptyData(dtype, sizeOf(dims)),
});

/** The data of a float32 tensor, or SHAPE_MISMATCH naming what was expected. */
export function floatsOf(value: Tensor, what = 'tensor'): Float32Array<ArrayBuffer> {
  if (!(value.data instanceof Float32Array)) {
    throw new WorkbenchError('SHAPE_MISMATCH', `Expected ${what} to be float32, got ${value.dtype}`);
  }
  return value.data;
}
