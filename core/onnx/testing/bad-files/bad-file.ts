import type { RuleId } from '../../validate/rules.ts';

/** A model file that breaks one rule. */
export interface BadFile {
  readonly rule: RuleId;
  /** What is wrong with it; with the rule it makes a file name. */
  readonly name: string;
  readonly bytes: () => Uint8Array;
}

/** The variants of one rule. */
export const breaking = (rule: RuleId, variants: Readonly<Record<string, () => Uint8Array>>): readonly BadFile[] =>
  Object.entries(variants).map(([name, bytes]) => ({ rule, name, bytes }));

/** A base-128 number; `padding` writes it with so many bytes more than it needs. */
export function varint(value: number | bigint, padding = 0): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest) | (padding > 0 ? 128 : 0));
  for (let i = 1; i <= padding; i++) bytes.push(i < padding ? 128 : 0);
  return Uint8Array.from(bytes);
}

export const join = (...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array =>
  new Uint8Array(Buffer.concat(parts.map((part) => Uint8Array.from(part))));

/** A field with a length: text, bytes or a message. `claimed` is the length that is written. */
export function field(number: number, payload: Uint8Array | string, claimed?: number): Uint8Array {
  const bytes = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  return join(varint(number * 8 + 2), varint(claimed ?? bytes.length), bytes);
}

/** A field that holds a number. */
export const numberField = (number: number, value: number | bigint): Uint8Array =>
  join(varint(number * 8), varint(value));

/** The same bytes over and over. */
export function repeated(bytes: Uint8Array, count: number): Uint8Array {
  const all = new Uint8Array(bytes.length * count);
  for (let i = 0; i < count; i++) all.set(bytes, i * bytes.length);
  return all;
}

/** How every exporter begins a file: IR version 8, operator set 17. */
export const start = join(numberField(1, 8), field(8, numberField(2, 17)));

/** A model whose graph has the given bytes. */
export const withGraph = (graph: Uint8Array): Uint8Array => join(start, field(7, graph));
