import { WorkbenchError } from '../base/errors.ts';
import { type DType, dtypes, int64, type Tensor } from '../base/tensor.ts';

/** TensorProto.DataType numbers of the element types that the engine computes with (onnx.proto, TensorProto.DataType). */
const codes: Readonly<Record<DType, number>> = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
};

/** Names of the element types that ONNX has and the engine does not compute with, for error messages. */
const foreignNames: Readonly<Record<number, string>> = {
  0: 'undefined',
  8: 'string',
  14: 'complex64',
  15: 'complex128',
  16: 'bfloat16',
  17: 'float8e4m3fn',
  18: 'float8e4m3fnuz',
  19: 'float8e5m2',
  20: 'float8e5m2fnuz',
  21: 'uint4',
  22: 'int4',
  23: 'float4e2m1',
  24: 'float8e8m0',
  25: 'uint2',
  26: 'int2',
};

const byCode: ReadonlyMap<number, DType> = new Map(dtypes.map((dtype) => [codes[dtype], dtype]));

/** The TensorProto.DataType number of an element type. */
export const codeOfDtype = (dtype: DType): number => codes[dtype];

/** The element type of a TensorProto.DataType number, undefined for one that the engine does not compute with. */
export const dtypeOfCode = (code: number): DType | undefined => byCode.get(code);

/** Name of any TensorProto.DataType number, for messages. */
export const nameOfCode = (code: number): string => byCode.get(code) ?? foreignNames[code] ?? `type ${code}`;

/** As dtypeOfCode; throws OP_UNSUPPORTED naming the thing of that type. */
export function requireDtype(code: number, what: string): DType {
  const dtype = dtypeOfCode(code);
  if (dtype !== undefined) return dtype;
  throw new WorkbenchError(
    'OP_UNSUPPORTED',
    `${what} has element type ${nameOfCode(code)}, expected one of ${Object.keys(codes).join(', ')}`,
    {
      hint: 'Export the model with float32 weights.',
    },
  );
}

export const isFloatDtype = (dtype: DType): boolean =>
  dtype === 'float32' || dtype === 'float64' || dtype === 'float16';

const largest = 2n ** 63n - 1n;

/**
 * The 64-bit integer of an attribute. Attributes are numbers, which cannot hold the ends of the range (exporters write
 * INT64_MAX for "to the end"): those are clamped.
 */
export function attributeInt64(value: number): bigint {
  const exact = BigInt(value);
  return exact > largest ? largest : exact < -largest - 1n ? -largest - 1n : exact;
}

/** Integers of an attribute as a tensor. */
export const attributeTensor = (dims: readonly number[], values: readonly number[]): Tensor =>
  int64(dims, BigInt64Array.from(values, attributeInt64));
