import { grouped, unreadable } from '../errors.ts';
import type { Region } from '../files.ts';

/** Lines and fields of comma-separated text (RFC 4180), a bounded piece of the file at a time. */

const chunkBytes = 2 ** 20;
/** 16 million numbers; a longer line is no row of pixels. */
const longestLine = 2 ** 25;
const longestNumber = 64;

const [lineFeed, carriageReturn, quote, space, zero, nine] = [10, 13, 34, 32, 48, 57];
const separators = [44, 59, 9];

export type OnLine = (line: Uint8Array, lineNumber: number) => void;

/** Calls `onLine` for each line that is not empty, without its end; lines are counted from 1. */
export async function forEachLine(region: Region, name: string, onLine: OnLine): Promise<void> {
  /** Of a line whose end has not been seen. */
  let begun: Uint8Array[] = [];
  let begunBytes = 0;
  let lineNumber = 0;
  const give = (line: Uint8Array): void => {
    lineNumber++;
    const text = line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
    if (text.length > 0) onLine(text, lineNumber);
  };
  const begin = (piece: Uint8Array): void => {
    begun.push(piece);
    begunBytes += piece.length;
    if (begunBytes <= longestLine) return;
    throw unreadable(
      `${name}: line ${grouped(lineNumber + 1)} has more than ${grouped(longestLine)} bytes, expected a row of numbers`,
      'Write one image a line.',
    );
  };
  for (let at = byteOrderMark(await region.read(0, Math.min(3, region.length)), name); at < region.length;) {
    const chunk = await region.read(at, Math.min(chunkBytes, region.length - at));
    at += chunk.length;
    let start = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, start)) {
      const line = chunk.subarray(start, end);
      give(begun.length === 0 ? line : Buffer.concat([...begun, line]));
      begun = [];
      begunBytes = 0;
      start = end + 1;
    }
    begin(chunk.subarray(start));
  }
  if (begunBytes > 0) give(Buffer.concat(begun));
}

/** How many bytes of the beginning only say that the text is UTF-8. */
function byteOrderMark(head: Uint8Array, name: string): number {
  const [first, second, third] = head;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
    throw unreadable(`${name} is text in UTF-16, expected UTF-8`, 'Save the file as UTF-8.');
  }
  return first === 0xef && second === 0xbb && third === 0xbf ? 3 : 0;
}

/** The separator that occurs most in a line: comma, semicolon or tab. */
export function separatorOf(line: Uint8Array): number {
  const counts = separators.map((separator) => line.reduce((sum, byte) => sum + (byte === separator ? 1 : 0), 0));
  return separators[counts.indexOf(Math.max(...counts))] ?? 44;
}

/** Calls `onField` with the bounds of each field, without its quotes, and gives their number. */
export function splitFields(
  line: Uint8Array,
  separator: number,
  where: string,
  onField: (column: number, from: number, to: number) => void,
): number {
  let column = 0;
  for (let at = 0; ; at++) {
    let from = at;
    let to: number;
    if (line[at] === quote) {
      from = at + 1;
      to = line.indexOf(quote, from);
      if (to < 0)
        throw unreadable(`${where}, column ${column + 1}: a quote is never closed`, 'Close it, or leave it out.');
      at = to + 1;
      if (at < line.length && line[at] !== separator) {
        throw unreadable(
          `${where}, column ${column + 1}: expected a separator after the closing quote, got "${textOf(line, at, at + 1)}"`,
          'Numbers need no quotes.',
        );
      }
    } else {
      while (at < line.length && line[at] !== separator) at++;
      to = at;
    }
    onField(column++, from, to);
    if (at >= line.length) return column;
  }
}

const decimal = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d{1,4})?$/iu;

/** The number that stands between two places of a line; NaN when it is none. */
export function numberAt(line: Uint8Array, from: number, to: number): number {
  let value = 0;
  if (to - from <= 3) {
    let at = from;
    for (; at < to && line[at]! >= zero && line[at]! <= nine; at++) value = 10 * value + line[at]! - zero;
    if (at === to && to > from) return value;
  }
  let [start, end] = [from, to];
  while (start < end && line[start] === space) start++;
  while (end > start && line[end - 1] === space) end--;
  if (end - start > longestNumber) return Number.NaN;
  const text = textOf(line, start, end);
  return decimal.test(text) ? Number(text) : Number.NaN;
}

const shown = 40;

/** What stands there, for names and messages. */
export const textOf = (line: Uint8Array, from: number, to: number): string =>
  new TextDecoder().decode(line.subarray(from, to));

/** What is wrong with a field that is no number. */
export function notANumber(line: Uint8Array, from: number, to: number, where: string): never {
  if (line.subarray(from, to).includes(0)) {
    throw unreadable(`${where}: expected a number, got zero bytes`, 'This is no text file, or it is damaged.');
  }
  const length = to - from;
  const text = textOf(line, from, Math.min(to, from + shown));
  const got = length > shown ? `${grouped(length)} bytes that begin with "${text}"` : `"${text}"`;
  throw unreadable(`${where}: expected a number, got ${got}`, 'Each column but the label holds a pixel as a number.');
}
