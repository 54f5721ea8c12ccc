import { WorkbenchError } from '../base/errors.ts';
import { tensor, type DType, type Tensor } from '../base/tensor.ts';

/** Numbers as the array type of `dtype`. */
export function arrayOf(dtype: DType, values: readonly number[]): Tensor['data'] {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(values);
    case 'float64':
      return Float64Array.from(values);
    case 'int8':
      return Int8Array.from(values);
    case 'int16':
      return Int16Array.from(values);
    case 'int32':
      return Int32Array.from(values);
    case 'int64':
      return BigInt64Array.from(values, BigInt);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(values);
    case 'uint16':
      return Uint16Array.from(values);
    case 'uint32':
      return Uint32Array.from(values);
    case 'uint64':
      return BigUint64Array.from(values, BigInt);
    case 'float16':
      throw new WorkbenchError(
        'OP_UNSUPPORTED',
        'Constants of type float16 cannot be made, expected float32 or float64',
        {
          hint: 'Convert the model to float32 before it is differentiated.',
        },
      );
  }
}

/** A vector of one repeated number. */
export const filled = (dtype: DType, length: number, value: number): Tensor =>
  tensor(dtype, [length], arrayOf(dtype, Array<number>(length).fill(value)));
