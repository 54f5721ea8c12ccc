import type { Rng } from '../../../base/rng.ts';
import { mutateBytes } from '../../../base/testing/mutate-bytes.ts';
import { parseTree, type WireField, writeTree } from './wire-tree.ts';

/** Numbers at which programs go wrong. */
const numbers = [0, 1, 2, 3, 7, 8, 16, 17, 21, 64, 127, 128, 255, 256, 65_535, 65_536, 1e6].map(BigInt);
const edges = [31n, 32n, 33n, 40n, 53n, 60n, 62n, 63n].flatMap((bits) => [2n ** bits - 1n, 2n ** bits, -(2n ** bits)]);
const allNumbers = [...numbers, ...numbers.map((value) => -value), ...edges];

const texts = [
  '',
  'x',
  'y',
  'If',
  'Loop',
  'Scan',
  'Constant',
  'Reshape',
  'ConstantOfShape',
  'Expand',
  'Tile',
  'Range',
  'Resize',
  'Pad',
  'OneHot',
  'Concat',
  'Gather',
  'location',
  'offset',
  'length',
  '../secret',
  '/etc/passwd',
  '*/_ORT_MEM_ADDR_/*',
  'com.microsoft',
  'ai.onnx',
  'constructor',
  'toString',
  '__proto__',
  'a\0b',
  '\u202e',
  'n'.repeat(5000),
];
const utf8 = new TextEncoder();

/** A sound model, taken apart once for many mutations. */
export interface Seed {
  readonly bytes: Uint8Array;
  readonly fields: readonly WireField[];
}

export const seedOf = (bytes: Uint8Array): Seed => ({ bytes, fields: parseTree(bytes) });

/**
 * A model that has been tampered with: mostly in its fields (numbers, names, lengths that lie, parts that are missing,
 * doubled, moved, or taken from `other`), a quarter of the time in its bytes, an eighth in both.
 */
export function mutateModel(seed: Seed, other: Seed, rng: Rng): Uint8Array {
  const way = rng.int(8);
  if (way < 2) return mutateBytes(seed.bytes, rng);
  const fields = structuredClone(seed.fields) as WireField[];
  for (let i = 1 + rng.int(4); i > 0; i--) mutateFields(fields, other, rng);
  const bytes = writeTree(fields);
  return way === 2 ? mutateBytes(bytes, rng) : bytes;
}

interface Place {
  readonly list: WireField[];
  readonly index: number;
}

function placesOf(list: WireField[], into: Place[] = []): Place[] {
  list.forEach((field, index) => {
    into.push({ list, index });
    if (field.kind === 'message') placesOf(field.fields, into);
  });
  return into;
}

const one = <T>(list: readonly T[], rng: Rng): T | undefined => list[rng.int(Math.max(1, list.length))];

function mutateFields(fields: WireField[], other: Seed, rng: Rng): void {
  const places = placesOf(fields);
  const place = one(places, rng);
  const field = place?.list[place.index];
  if (place === undefined || field === undefined) return;
  if (rng.int(3) > 0) changeContent(field, places, rng);
  else changePlace(place, field, places, other, rng);
}

function changeContent(field: WireField, places: readonly Place[], rng: Rng): void {
  if (field.kind === 'number') {
    const way = rng.int(4);
    if (way === 0) field.value += BigInt(rng.int(5) - 2);
    else if (way === 1) field.value ^= 1n << BigInt(rng.int(64));
    else field.value = one(allNumbers, rng) ?? 0n;
  } else if (rng.int(12) === 0) {
    const lies = [1, -1, rng.int(64) - 32, 2 ** rng.int(33), -(2 ** 31)];
    field.lie = one(lies, rng) ?? 0;
  } else if (field.kind === 'bytes') field.bytes = otherBytes(field.bytes, field.isText, places, rng);
}

function otherBytes(bytes: Uint8Array, isText: boolean, places: readonly Place[], rng: Rng): Uint8Array {
  const way = rng.int(4);
  if (isText && way === 0) return utf8.encode(one(texts, rng));
  if (isText && way < 3) {
    // Another name of the same model: values get mixed up, operators become others.
    const taken = one(places, rng);
    const other = taken?.list[taken.index];
    return other?.kind === 'bytes' && other.isText ? other.bytes.slice() : bytes;
  }
  if (bytes.length === 8 && way < 2) {
    const number = new DataView(new ArrayBuffer(8));
    number.setBigInt64(0, one(allNumbers, rng) ?? 0n, true);
    return new Uint8Array(number.buffer);
  }
  return mutateBytes(bytes, rng);
}

function changePlace({ list, index }: Place, field: WireField, places: readonly Place[], other: Seed, rng: Rng): void {
  const elsewhere = one(places, rng);
  const strangers = placesOf([...other.fields]);
  const stranger = one(strangers, rng);
  switch (rng.int(8)) {
    case 0:
      list.splice(index, 1);
      break;
    case 1:
      for (let i = rng.int(8) === 0 ? 40 : 1; i > 0; i--) list.splice(index, 0, structuredClone(field));
      break;
    case 2:
      if (elsewhere !== undefined) elsewhere.list.splice(elsewhere.index, 0, structuredClone(field));
      break;
    case 3: {
      const [a, b] = [rng.int(list.length), rng.int(list.length)];
      [list[a], list[b]] = [list[b]!, list[a]!];
      break;
    }
    case 4:
      field.number = 1 + rng.int(rng.int(4) === 0 ? 5000 : 26);
      break;
    case 5:
      if (field.kind === 'bytes') field.wireType = ([1, 2, 5] as const)[rng.int(3)]!;
      break;
    case 6: {
      const taken = stranger?.list[stranger.index];
      if (taken !== undefined) list.splice(index, 0, structuredClone(taken));
      break;
    }
    default: {
      // A part of the other model in the place of one with the same number: most often of the same kind.
      const alike = strangers.filter((candidate) => candidate.list[candidate.index]?.number === field.number);
      const taken = one(alike, rng);
      const found = taken?.list[taken.index];
      if (found !== undefined) list[index] = structuredClone(found);
    }
  }
}
