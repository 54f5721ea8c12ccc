import type { DescField, DescMessage } from '@bufbuild/protobuf';
import { ScalarType } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../proto/onnx_pb.generated.ts';
import { refusal, type Source } from '../read/problem.ts';
import type { Limits } from './limits.ts';
import type { RuleId } from './rules.ts';

/** How a field is written: tag kinds 0 varint, 1 eight bytes, 2 with a length, 5 four bytes. */
type WireType = 0 | 1 | 2 | 5;

interface FieldPlan {
  readonly name: string;
  /** Of one element. */
  readonly wireType: WireType;
  readonly isPackable: boolean;
  readonly content: 'message' | 'name' | 'text' | 'bytes' | 'number';
  /** Estimated bytes that one element takes once decoded, besides its own length. */
  readonly cost: number;
  readonly message: MessagePlan | undefined;
}

interface MessagePlan {
  readonly typeName: string;
  readonly fields: Map<number, FieldPlan>;
}

/** Measured on Node 24: an empty TensorProto or AttributeProto has about ten lists. */
const messageCost = 512;
const stringCost = 32;
/** A view of the file's bytes. */
const bytesCost = 128;
const bigintCost = 32;
const numberCost = 8;

const wireTypes: Partial<Record<ScalarType, WireType>> = {
  [ScalarType.DOUBLE]: 1,
  [ScalarType.FLOAT]: 5,
  [ScalarType.STRING]: 2,
  [ScalarType.BYTES]: 2,
};

/** Fields for readers, not for programs: they may be long. */
const isText = (field: DescField): boolean =>
  field.name === 'doc_string' || (field.name === 'value' && field.parent.name === 'StringStringEntryProto');

function planOf(desc: DescMessage, made = new Map<string, MessagePlan>()): MessagePlan {
  const known = made.get(desc.typeName);
  if (known !== undefined) return known;
  const plan: MessagePlan = { typeName: desc.typeName, fields: new Map() };
  // Messages hold each other, so the plan is there before its fields.
  made.set(desc.typeName, plan);
  for (const field of desc.fields) plan.fields.set(field.number, fieldPlan(field, made));
  return plan;
}

function fieldPlan(field: DescField, made: Map<string, MessagePlan>): FieldPlan {
  const { name } = field;
  if (field.message !== undefined) {
    const message = planOf(field.message, made);
    return { name, wireType: 2, isPackable: false, content: 'message', cost: messageCost, message };
  }
  const scalar = field.scalar ?? ScalarType.INT32;
  const wireType = wireTypes[scalar] ?? 0;
  if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) {
    const isBytes = scalar === ScalarType.BYTES;
    const content = isBytes ? 'bytes' : isText(field) ? 'text' : 'name';
    return { name, wireType, isPackable: false, content, cost: isBytes ? bytesCost : stringCost, message: undefined };
  }
  const isBig = scalar === ScalarType.INT64 || scalar === ScalarType.UINT64;
  const cost = isBig ? bigintCost : numberCost;
  return { name, wireType, isPackable: field.fieldKind === 'list', content: 'number', cost, message: undefined };
}

const modelPlan = planOf(ModelProtoSchema);

const counters: Readonly<
  Record<string, readonly ['nodes' | 'tensors' | 'functions' | 'attributes' | 'values', RuleId]>
> = {
  'onnx.NodeProto': ['nodes', 'ONNX_E_NODE_COUNT'],
  'onnx.TensorProto': ['tensors', 'ONNX_E_TENSOR_COUNT'],
  'onnx.FunctionProto': ['functions', 'ONNX_E_FUNCTION_COUNT'],
  'onnx.AttributeProto': ['attributes', 'ONNX_E_ATTRIBUTE_COUNT'],
  'onnx.ValueInfoProto': ['values', 'ONNX_E_VALUE_COUNT'],
};

export interface WireFacts {
  /** Places of tags in front of numbers that stand as raw bytes would. */
  readonly plainRuns: readonly number[];
  /** Bytes of those numbers. */
  readonly plainBytes: number;
  /** Where the fields stand that name other files, each from its tag to its end. */
  readonly externalData: readonly (readonly [start: number, end: number])[];
}

/**
 * Walks the fields of a ModelProto without decoding them, so that a file which lies about lengths, or unpacks to far more
 * than it holds, is refused before anything is allocated for it. Payloads of raw data are stepped over. Throws the error
 * of the rule that is broken.
 */
export function scanWire(bytes: Uint8Array, source: Source, limits: Limits): WireFacts {
  return new WireScan(bytes, source, limits).run();
}

const rawDataTag = 0x4a;

/**
 * Packed floats and doubles are raw data under another name, and as lists they would take four times their size: gives
 * them the name of raw data, in place.
 */
export function renamePlainRuns(bytes: Uint8Array, { plainRuns }: WireFacts): void {
  for (const at of plainRuns) bytes[at] = rawDataTag;
}

/** TensorProto.data_type of the lists that are stored as raw data are: float_data and double_data, by their tags. */
const plainTypes: Readonly<Record<number, number>> = { 0x22: 1, 0x52: 11 };

/** What is known of a tensor once its fields have been passed. */
interface TensorFields {
  dataType: number;
  /** Data of any kind but the runs. */
  hasOther: boolean;
  readonly runs: { readonly at: number; readonly tag: number; readonly bytes: number; readonly cost: number }[];
}

class WireScan {
  readonly #bytes: Uint8Array;
  readonly #source: Source;
  readonly #limits: Limits;
  readonly #counts = new Map<string, number>();
  #at = 0;
  #graphDepth = 0;
  #decoded = 0;
  #tensor: TensorFields | undefined;
  readonly #plainRuns: number[] = [];
  #plainBytes = 0;
  readonly #externalData: [number, number][] = [];

  constructor(bytes: Uint8Array, source: Source, limits: Limits) {
    this.#bytes = bytes;
    this.#source = source;
    this.#limits = limits;
  }

  run(): WireFacts {
    this.#message(modelPlan, this.#bytes.length, 0);
    return { plainRuns: this.#plainRuns, plainBytes: this.#plainBytes, externalData: this.#externalData };
  }

  #refuse(rule: RuleId, message: string, limit?: number): never {
    const more = limit === undefined ? '' : `, expected at most ${limit.toLocaleString('en-US')}`;
    throw refusal(rule, this.#source, `${message} at byte ${this.#at.toLocaleString('en-US')}${more}`);
  }

  #spend(bytes: number): void {
    this.#decoded += bytes;
    if (this.#decoded <= this.#limits.decodedBytes) return;
    this.#refuse('ONNX_E_DECODED_SIZE', 'the file unpacks to too many bytes', this.#limits.decodedBytes);
  }

  /** A number of at most ten bytes; exact up to 2⁵³, beyond that only known to be large. */
  #varint(end: number, what: string): number {
    const bytes = this.#bytes;
    let value = 0;
    let scale = 1;
    for (let i = 0; i < 10; i++) {
      if (this.#at >= end) this.#refuse('ONNX_E_WIRE_VARINT', `${what} is cut off`);
      const byte = bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    return this.#refuse('ONNX_E_WIRE_VARINT', `${what} has more than ten bytes`);
  }

  #length(end: number, what: string): number {
    const length = this.#varint(end, `the length of ${what}`);
    if (length <= end - this.#at) return length;
    return this.#refuse('ONNX_E_WIRE_LENGTH', `${what} claims ${length} bytes where ${end - this.#at} are left`);
  }

  #message(plan: MessagePlan, end: number, depth: number): void {
    if (depth > this.#limits.messageDepth) {
      this.#refuse('ONNX_E_DEPTH', 'messages are nested too deep', this.#limits.messageDepth);
    }
    this.#count(plan.typeName);
    const isGraph = plan.typeName === 'onnx.GraphProto';
    if (isGraph && ++this.#graphDepth > this.#limits.graphDepth) {
      this.#refuse('ONNX_E_DEPTH', 'graphs are nested too deep', this.#limits.graphDepth);
    }
    const isTensor = plan.typeName === 'onnx.TensorProto';
    if (isTensor) this.#tensor = { dataType: 0, hasOther: false, runs: [] };
    const names = new Arity(plan.typeName === 'onnx.NodeProto' || plan.typeName === 'onnx.FunctionProto');
    while (this.#at < end) {
      const start = this.#at;
      const tag = this.#varint(end, 'a tag');
      const [number, wireType] = [Math.floor(tag / 8), tag % 8];
      if (number < 1 || number > 2 ** 29 - 1 || !(wireType in wireNames)) {
        this.#refuse('ONNX_E_WIRE_TAG', `there is no field ${number} of kind ${wireType}`);
      }
      const field = plan.fields.get(number);
      if (field === undefined) this.#skip(wireType, end);
      else {
        this.#field(field, wireType, end, depth);
        if (isTensor) this.#noteTensorField(field, start);
        if (names.exceeds(field.name, this.#limits.arity)) {
          this.#refuse('ONNX_E_VALUE_COUNT', `a node has too many ${field.name}s`, this.#limits.arity);
        }
      }
    }
    if (isGraph) this.#graphDepth--;
    if (isTensor) this.#endTensor();
  }

  /** `start` is where the tag of the field stands; the field has been passed. */
  #noteTensorField(field: FieldPlan, start: number): void {
    const tensor = (this.#tensor ??= { dataType: 0, hasOther: false, runs: [] });
    const tag = this.#bytes[start] ?? 0;
    if (field.name === 'data_type') tensor.dataType = this.#bytes[start + 1] ?? 0;
    else if (field.isPackable && field.wireType !== 0) {
      const bytes = this.#at - start;
      tensor.runs.push({ at: start, tag, bytes, cost: (bytes / (field.wireType === 1 ? 8 : 4)) * field.cost });
    } else if (field.name.endsWith('_data')) tensor.hasOther = true;
    if (field.name === 'external_data') this.#externalData.push([start, this.#at]);
  }

  #endTensor(): void {
    const { dataType, hasOther, runs } = this.#tensor ?? { dataType: 0, hasOther: true, runs: [] };
    this.#tensor = undefined;
    const [run] = runs;
    if (run !== undefined && runs.length === 1 && !hasOther && plainTypes[run.tag] === dataType) {
      this.#plainRuns.push(run.at);
      this.#plainBytes += run.bytes;
    } else for (const { cost } of runs) this.#spend(cost);
  }

  #count(typeName: string): void {
    this.#spend(messageCost);
    const counter = counters[typeName];
    if (counter === undefined) return;
    const [what, rule] = counter;
    const count = (this.#counts.get(what) ?? 0) + 1;
    this.#counts.set(what, count);
    if (count > this.#limits[what]) this.#refuse(rule, `the file has too many ${what}`, this.#limits[what]);
  }

  #skip(wireType: number, end: number): void {
    if (wireType === 0) this.#varint(end, 'an unknown number');
    else if (wireType === 2) {
      const length = this.#length(end, 'an unknown field');
      this.#at += length;
    } else this.#fixed(wireType === 1 ? 8 : 4, end, 'an unknown field');
  }

  #fixed(size: number, end: number, what: string): void {
    if (end - this.#at < size) this.#refuse('ONNX_E_WIRE_LENGTH', `${what} is cut off`);
    this.#at += size;
  }

  #field(field: FieldPlan, wireType: number, end: number, depth: number): void {
    if (wireType === 2 && field.isPackable) return this.#packed(field, end);
    if (wireType !== field.wireType) {
      const [wanted, got] = [wireNames[field.wireType], wireNames[wireType]];
      this.#refuse('ONNX_E_WIRE_TYPE', `field ${field.name} should be ${wanted} and is ${got}`);
    }
    this.#spend(field.content === 'message' ? 0 : field.cost);
    if (wireType === 0) this.#varint(end, field.name);
    else if (wireType === 1) this.#fixed(8, end, field.name);
    else if (wireType === 5) this.#fixed(4, end, field.name);
    else this.#withLength(field, end, depth);
  }

  #withLength(field: FieldPlan, end: number, depth: number): void {
    const length = this.#length(end, field.name);
    if (field.message !== undefined) {
      this.#message(field.message, this.#at + length, depth + 1);
      return;
    }
    if (field.content !== 'bytes') {
      const limit = field.content === 'name' ? this.#limits.nameBytes : this.#limits.textBytes;
      if (length > limit) this.#refuse('ONNX_E_STRING_LENGTH', `${field.name} has ${length} bytes`, limit);
      this.#spend(length);
    } else if (field.name !== 'raw_data' && length > this.#limits.textBytes) {
      this.#refuse('ONNX_E_STRING_LENGTH', `${field.name} has ${length} bytes`, this.#limits.textBytes);
    }
    this.#at += length;
  }

  /** A list of numbers in one field. */
  #packed(field: FieldPlan, end: number): void {
    const length = this.#length(end, field.name);
    const size = field.wireType === 1 ? 8 : field.wireType === 5 ? 4 : 0;
    if (size > 0) {
      if (length % size !== 0) {
        this.#refuse('ONNX_E_WIRE_LENGTH', `${field.name} has ${length} bytes, no multiple of ${size}`);
      }
      // Of tensors they are billed at the end, when it is known whether they can be taken as they stand.
      if (this.#tensor === undefined) this.#spend((length / size) * field.cost);
      this.#at += length;
      return;
    }
    const stop = this.#at + length;
    // The bill comes before the walk: no number takes less than one byte of the file.
    let count = 0;
    while (this.#at < stop) {
      this.#varint(stop, `a number of ${field.name}`);
      count++;
      if (count % 65_536 === 0) this.#spend(65_536 * field.cost);
    }
    this.#spend((count % 65_536) * field.cost);
  }
}

const wireNames: Readonly<Record<number, string>> = {
  0: 'a number',
  1: 'eight bytes',
  2: 'bytes with a length',
  5: 'four bytes',
};

/** Counts the inputs and outputs of one node. */
class Arity {
  readonly #isOn: boolean;
  #inputs = 0;
  #outputs = 0;

  constructor(isOn: boolean) {
    this.#isOn = isOn;
  }

  exceeds(field: string, limit: number): boolean {
    if (!this.#isOn) return false;
    if (field === 'input') this.#inputs++;
    else if (field === 'output') this.#outputs++;
    return this.#inputs > limit || this.#outputs > limit;
  }
}
