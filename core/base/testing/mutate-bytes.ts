import type { Rng } from '../rng.ts';

const interesting = [0, 1, 7, 8, 10, 0x3a, 0x7f, 0x80, 0xfe, 0xff];

/**
 * Changes one to four places of a file, knowing nothing of its format: bits, bytes, runs, its end. Half of the time near
 * the beginning or the end, where headers and directories are.
 */
export function mutateBytes(seed: Uint8Array, rng: Rng): Uint8Array {
  let bytes = Uint8Array.from(seed);
  for (let i = 1 + rng.int(4); i > 0; i--) bytes = changes[rng.int(changes.length)]!(bytes, rng);
  return bytes;
}

type Bytes = Uint8Array<ArrayBuffer>;
type Change = (bytes: Bytes, rng: Rng) => Bytes;

/** So near is near. */
const edge = 96;

/** A place in the file; with `isGap` its end is one too. */
function placeIn(bytes: Bytes, rng: Rng, isGap = false): number {
  const places = Math.max(1, bytes.length + (isGap ? 1 : 0));
  const near = Math.min(edge, places);
  const way = rng.int(4);
  if (way === 0) return rng.int(near);
  return way === 1 ? places - 1 - rng.int(near) : rng.int(places);
}

/** Most runs are short; some take a good part of the file. */
function runOf(bytes: Bytes, rng: Rng): readonly [start: number, end: number] {
  const start = placeIn(bytes, rng, true);
  const longest = rng.int(8) === 0 ? bytes.length : 16;
  return [start, Math.min(bytes.length, start + 1 + rng.int(longest))];
}

const joined = (...parts: readonly Uint8Array[]): Bytes => {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
};

const changes: readonly Change[] = [
  (bytes, rng) => {
    const at = placeIn(bytes, rng);
    if (at < bytes.length) bytes[at] = bytes[at]! ^ (1 << rng.int(8));
    return bytes;
  },
  (bytes, rng) => {
    const at = placeIn(bytes, rng);
    if (at < bytes.length) bytes[at] = interesting[rng.int(interesting.length)]!;
    return bytes;
  },
  (bytes, rng) => {
    const at = placeIn(bytes, rng);
    if (at < bytes.length) bytes[at] = rng.int(256);
    return bytes;
  },
  (bytes, rng) => {
    const [start, end] = runOf(bytes, rng);
    return joined(bytes.subarray(0, start), bytes.subarray(end));
  },
  (bytes, rng) => {
    const [start, end] = runOf(bytes, rng);
    return joined(bytes.subarray(0, end), bytes.subarray(start));
  },
  (bytes, rng) => {
    const at = placeIn(bytes, rng, true);
    const added = Uint8Array.from({ length: 1 + rng.int(12) }, () => rng.int(256));
    return joined(bytes.subarray(0, at), added, bytes.subarray(at));
  },
  (bytes, rng) => {
    const [start, end] = runOf(bytes, rng);
    const to = placeIn(bytes, rng, true);
    bytes.set(bytes.slice(start, Math.min(end, start + bytes.length - to)), to);
    return bytes;
  },
  (bytes, rng) => bytes.slice(0, placeIn(bytes, rng, true)),
];
