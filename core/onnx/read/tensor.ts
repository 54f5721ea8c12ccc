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
import { dtypeOfCode, nameOfCode } from '../element-types.ts';
import { type TensorProto, TensorProtoSchema } from '../proto/onnx_pb.generated.ts';
import type { Limits } from '../validate/limits.ts';
import type { RuleId } from '../validate/rules.ts';
import { ExternalData } from './external.ts';
import { refusal, shown, type Source } from './problem.ts';

/** TensorProto.data_location. */
const [inFile, beside] = [0, 1];

const listFields = ['floatData', 'int32Data', 'int64Data', 'doubleData', 'uint64Data', 'stringData'] as const;

/** The list that the format gives each element type. */
const listOf = {
  float32: 'floatData',
  float64: 'doubleData',
  float16: 'int32Data',
  int8: 'int32Data',
  int16: 'int32Data',
  int32: 'int32Data',
  int64: 'int64Data',
  uint8: 'int32Data',
  uint16: 'int32Data',
  uint32: 'uint64Data',
  uint64: 'uint64Data',
  bool: 'int32Data',
} as const satisfies Readonly<Record<DType, (typeof listFields)[number]>>;

interface TensorOptions {
  readonly source: Source;
  readonly limits: Limits;
  /** The bytes of the file belong to the reader, who may move data inside them. */
  readonly ownsBytes: boolean;
}

/** Reads the tensors of one file, and adds up what they hold. */
export class TensorReader {
  readonly source: Source;
  readonly #limits: Limits;
  readonly #ownsBytes: boolean;
  readonly #external: ExternalData;
  /**
   * Data by where they are: the offset of raw bytes, or a list of numbers. A function that is called often shares them.
   */
  readonly #known = new Map<unknown, TensorData>();
  #totalBytes = 0;

  constructor({ source, limits, ownsBytes }: TensorOptions) {
    this.source = source;
    this.#limits = limits;
    this.#ownsBytes = ownsBytes;
    this.#external = new ExternalData(source);
  }

  /**
   * A tensor from its message: raw bytes (viewed, not copied, where that can be), the typed field, or a file beside the
   * model. Throws the error of the rule that its type, shape or data break.
   */
  read(proto: TensorProto, name: string): Tensor {
    const dtype = dtypeOfCode(proto.dataType);
    if (dtype === undefined) {
      this.#refuse('ONNX_E_ELEMENT_TYPE', `tensor ${shown(name)} has element type ${nameOfCode(proto.dataType)}`);
    }
    const dims = this.#dimsOf(proto, name);
    const count = sizeOf(dims);
    const expectedBytes = count * bytesPerElement(dtype);
    this.#checkPlace(proto, name);
    const what = `tensor ${shown(name)} (${dtype} [${dims.join(', ')}])`;
    if (proto.dataLocation === beside) {
      this.#spend(expectedBytes, name);
      return { dtype, dims, data: viewBytes(dtype, this.#external.read(proto, name, expectedBytes)) };
    }
    if (isFieldSet(proto, TensorProtoSchema.field.rawData)) {
      const { rawData } = proto;
      if (rawData.length !== expectedBytes) {
        this.#refuse('ONNX_E_TENSOR_LENGTH', `expected ${expectedBytes} bytes for ${what}, got ${rawData.length}`);
      }
      const data =
        count === 0 ? emptyData(dtype, 0) : this.#shared(rawData.byteOffset, () => this.#view(dtype, rawData));
      this.#spend(expectedBytes, name);
      return { dtype, dims, data };
    }
    const list = proto[listOf[dtype]];
    if (list.length !== count) {
      this.#refuse('ONNX_E_TENSOR_LENGTH', `expected ${count} elements for ${what}, got ${list.length}`);
    }
    this.#spend(expectedBytes, name);
    const data = count === 0 ? emptyData(dtype, 0) : this.#shared(list, () => typedData(proto, dtype));
    return { dtype, dims, data };
  }

  #shared(key: unknown, make: () => TensorData): TensorData {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#known.set(key, made);
    return made;
  }

  #view(dtype: DType, raw: Uint8Array): TensorData {
    return viewBytes(dtype, this.#ownsBytes ? alignedInPlace(raw, bytesPerElement(dtype)) : raw);
  }

  #refuse(rule: RuleId, message: string): never {
    throw refusal(rule, this.source, message);
  }

  #dimsOf(proto: TensorProto, name: string): readonly number[] {
    const dims = proto.dims.map(Number);
    const { rank, dim: largest } = this.#limits;
    if (dims.length > rank) {
      this.#refuse('ONNX_E_DIMS', `expected at most ${rank} sizes for tensor ${shown(name)}, got ${dims.length}`);
    }
    if (dims.some((dim) => dim < 0 || dim > largest) || !Number.isSafeInteger(sizeOf(dims) * 8)) {
      this.#refuse('ONNX_E_DIMS', `expected a shape of sizes ≥ 0 for tensor ${shown(name)}, got [${dims.join(', ')}]`);
    }
    return dims;
  }

  #checkPlace(proto: TensorProto, name: string): void {
    const { dataLocation } = proto;
    if (dataLocation !== inFile && dataLocation !== beside) {
      this.#refuse(
        'ONNX_E_TENSOR_DATA',
        `expected the data of ${shown(name)} here or beside, got place ${dataLocation}`,
      );
    }
    if (proto.segment !== undefined) {
      this.#refuse('ONNX_E_TENSOR_DATA', `expected ${shown(name)} whole, got a segment of it`);
    }
    const raw = isFieldSet(proto, TensorProtoSchema.field.rawData) ? ['raw bytes'] : [];
    const lists = listFields.filter((field) => proto[field].length > 0);
    const elsewhere = dataLocation === beside || proto.externalData.length > 0 ? ['another file'] : [];
    const places = [...raw, ...lists, ...elsewhere];
    if (places.length > 1 || (dataLocation === inFile && elsewhere.length > 0)) {
      this.#refuse('ONNX_E_TENSOR_DATA', `expected the data of ${shown(name)} in one place, got ${places.join(', ')}`);
    }
  }

  #spend(bytes: number, name: string): void {
    this.#totalBytes += bytes;
    if (this.#totalBytes <= this.#limits.tensorBytes) return;
    this.#refuse(
      'ONNX_E_TENSOR_SIZE',
      `expected tensors of at most ${this.#limits.tensorBytes} bytes together, got more from ${shown(name)} on`,
    );
  }
}

/**
 * Typed arrays begin at multiples of their element size, raw data in a file anywhere. In front of the data stand their tag
 * and length, which have been read: the data move there, so that a large model needs no second copy of its weights.
 */
function alignedInPlace(raw: Uint8Array, size: number): Uint8Array {
  const shift = raw.byteOffset % size;
  if (shift === 0 || shift > headerBytes(raw.length)) return raw;
  const moved = new Uint8Array(raw.buffer, raw.byteOffset - shift, raw.length);
  moved.set(raw);
  return moved;
}

/** The tag and the length in front of a field, at least. */
const headerBytes = (length: number): number => 1 + Math.ceil(Math.max(1, Math.log2(length + 1)) / 7);

/** The numbers of a tensor that are written as a list. */
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
