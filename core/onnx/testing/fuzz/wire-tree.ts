import { type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { ModelProtoSchema } from '../../proto/onnx_pb.generated.ts';

/** A field of a message, as it stands in the file. Trees are changed in place by the mutations. */
export type WireField = NumberField | BytesField | MessageField;

interface NumberField {
  readonly kind: 'number';
  number: number;
  value: bigint;
}

interface BytesField {
  readonly kind: 'bytes';
  number: number;
  /** 1 and 5 have no length in front. */
  wireType: 1 | 2 | 5;
  bytes: Uint8Array;
  /** Added to the length that is written. */
  lie: number;
  readonly isText: boolean;
}

interface MessageField {
  readonly kind: 'message';
  number: number;
  fields: WireField[];
  lie: number;
}

/** Takes a sound model apart into fields. */
export function parseTree(bytes: Uint8Array, desc: DescMessage = ModelProtoSchema): WireField[] {
  const fields: WireField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++] ?? 0;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = Number(varint());
    const [number, wireType] = [tag >>> 3, tag & 7];
    if (wireType === 0) {
      fields.push({ kind: 'number', number, value: varint() });
      continue;
    }
    const length = wireType === 2 ? Number(varint()) : wireType === 1 ? 8 : 4;
    const payload = bytes.slice(at, at + length);
    at += length;
    const field = desc.fields.find((one) => one.number === number);
    if (field?.message !== undefined) {
      fields.push({ kind: 'message', number, fields: parseTree(payload, field.message), lie: 0 });
    } else {
      const isText = field?.scalar === ScalarType.STRING;
      fields.push({
        kind: 'bytes',
        number,
        wireType: wireType === 1 ? 1 : wireType === 5 ? 5 : 2,
        bytes: payload,
        lie: 0,
        isText,
      });
    }
  }
  return fields;
}

/** Puts fields together again, lies included. */
export function writeTree(fields: readonly WireField[]): Uint8Array {
  const out = new Output();
  for (const field of fields) writeField(field, out);
  return out.bytes();
}

function writeField(field: WireField, out: Output): void {
  if (field.kind === 'number') {
    out.varint(BigInt(field.number * 8));
    out.varint(field.value);
    return;
  }
  const wireType = field.kind === 'message' ? 2 : field.wireType;
  out.varint(BigInt(field.number * 8 + wireType));
  const payload = field.kind === 'message' ? writeTree(field.fields) : field.bytes;
  if (wireType === 2) out.varint(BigInt(payload.length + field.lie));
  out.append(payload);
}

class Output {
  #buffer = new Uint8Array(1024);
  #length = 0;

  #reserve(more: number): void {
    if (this.#length + more <= this.#buffer.length) return;
    const larger = new Uint8Array(2 * (this.#length + more));
    larger.set(this.#buffer.subarray(0, this.#length));
    this.#buffer = larger;
  }

  varint(value: bigint): void {
    this.#reserve(10);
    let rest = BigInt.asUintN(64, value);
    while (rest > 127n) {
      this.#buffer[this.#length++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#buffer[this.#length++] = Number(rest);
  }

  append(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  bytes(): Uint8Array {
    return this.#buffer.slice(0, this.#length);
  }
}
