import { isFieldSet } from '@bufbuild/protobuf';
import {
  bytesPerElement,
  type DType,
  emptyData,
  sizeOf,
  type Tensor,
  type TensorData,
  viewBytes,
} from '../../base/tensor.ts';
import { requireDtype } from '../element-types.ts';
import { type TensorProto, TensorProtoSchema } from '../proto/onnx_pb.generated.ts';
import { readExternal } from './external.ts';
import { type Source, unreadable } from './problem.ts';

const external = 1;

function dimsOf(proto: TensorProto, name: string, source: Source): readonly number[] {
  const dims = proto.dims.map(Number);
  if (dims.some((dim) => dim < 0) || !Number.isSafeInteger(sizeOf(dims))) {
    throw unreadable(source, `expected a shape of sizes ≥ 0 for tensor ${name}, got [${dims.join(', ')}]`);
  }
  return dims;
}

/** The elements from the typed field that the format gives each element type. */
function typedData(proto: TensorProto, dtype: DType): TensorData {
  switch (dtype) {
    case 'float32':
      return Float32Array.from(proto.floatData);
    case 'float64':
      return Float64Array.from(proto.doubleData);
    case 'int64':
      return BigInt64Array.from(proto.int64Data);
    case 'uint64':
      return BigUint64Array.from(proto.uint64Data);
    case 'uint32':
      return Uint32Array.from(proto.uint64Data, Number);
    case 'int8':
      return Int8Array.from(proto.int32Data);
    case 'int16':
      return Int16Array.from(proto.int32Data);
    case 'int32':
      return Int32Array.from(proto.int32Data);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(proto.int32Data);
    case 'uint16':
    case 'float16':
      return Uint16Array.from(proto.int32Data);
  }
}

/**
 * A tensor from its message: raw bytes (viewed, not copied, where aligned), the typed field, or a file beside the model.
 * Throws MODEL_UNREADABLE when the data does not fit the shape, OP_UNSUPPORTED for an element type that is not covered.
 */
export function readTensor(proto: TensorProto, name: string, source: Source): Tensor {
  const dtype = requireDtype(proto.dataType, `${source.path === undefined ? '' : `${source.path}: `}tensor ${name}`);
  const dims = dimsOf(proto, name, source);
  const count = sizeOf(dims);
  const expectedBytes = count * bytesPerElement(dtype);
  if (proto.dataLocation === external) {
    return { dtype, dims, data: viewBytes(dtype, readExternal(proto, name, expectedBytes, source)) };
  }
  if (isFieldSet(proto, TensorProtoSchema.field.rawData)) {
    if (proto.rawData.length !== expectedBytes) {
      throw unreadable(
        source,
        `expected ${expectedBytes} bytes for tensor ${name} (${dtype} [${dims.join(', ')}]), got ${proto.rawData.length}`,
      );
    }
    return { dtype, dims, data: viewBytes(dtype, proto.rawData) };
  }
  const data = count === 0 ? emptyData(dtype, 0) : typedData(proto, dtype);
  if (data.length !== count) {
    throw unreadable(
      source,
      `expected ${count} elements for tensor ${name} (${dtype} [${dims.join(', ')}]), got ${data.length}`,
    );
  }
  return { dtype, dims, data };
}
