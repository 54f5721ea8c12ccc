import type { ValueShape } from './parameters.ts';

/** Several values in place of one, in a form and on a command line: how they are written, and what they make together. */

/** More would be a mistake in the typing. */
export const mostRuns = 500;

export interface Axis<T> {
  readonly key: string;
  readonly values: readonly T[];
}

/** A run for every combination; the last axis changes fastest. */
export function combinations<T>(axes: readonly Axis<T>[]): readonly ReadonlyMap<string, T>[] {
  return axes.reduce<readonly ReadonlyMap<string, T>[]>(
    (all, { key, values }) => all.flatMap((each) => values.map((value) => new Map([...each, [key, value]]))),
    [new Map()],
  );
}

export const countOf = (axes: readonly Axis<unknown>[]): number =>
  axes.reduce((product, { values }) => product * values.length, 1);

/**
 * "0.1; 0.2", "1, 2, 4" and "0..4" for whole numbers, as texts; the same text twice is one. Lists, texts, paths and sizes
 * have commas of their own: only semicolons and lines part them.
 * @param shape of a parameter; absent for anything else
 */
export function valuesIn(text: string, shape?: ValueShape): readonly string[] {
  const parts = text
    .split(shape && isPlain(shape) ? /[;\n,]/ : /[;\n]/)
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return [...new Set(shape && isWhole(shape) ? parts.flatMap(rangeOf) : parts)];
}

/** The text that `valuesIn` reads as these values, if there is one. */
export function textOfValues(values: readonly string[], shape?: ValueShape): string | undefined {
  const range = shape && isWhole(shape) ? asRange(values) : undefined;
  const text = range ?? values.join(shape && isPlain(shape) ? ',' : ';');
  const read = valuesIn(text, shape);
  return read.length === values.length && read.every((value, i) => value === values[i]) ? text : undefined;
}

function isPlain(shape: ValueShape): boolean {
  if (shape.kind === 'either') return shape.options.every(isPlain);
  return shape.kind !== 'list' && shape.kind !== 'json' && shape.kind !== 'text';
}

function isWhole(shape: ValueShape): boolean {
  if (shape.kind === 'either') return shape.options.some(isWhole);
  return shape.kind === 'number' && shape.whole;
}

/** "2..5" → 2, 3, 4, 5; anything else stays what it is, and is refused where it is no value. */
function rangeOf(text: string): readonly string[] {
  const [, from, to] = /^(\d{1,9})\s*(?:\.\.|…|–)\s*(\d{1,9})$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === undefined || to === undefined || last < first || last - first >= mostRuns) return [text];
  return Array.from({ length: last - first + 1 }, (_, i) => String(first + i));
}

const fewestOfRange = 4;

function asRange(values: readonly string[]): string | undefined {
  const first = Number(values[0]);
  const isRange = values.length >= fewestOfRange && values.every((value, i) => value === String(first + i));
  return isRange && first >= 0 ? `${first}..${first + values.length - 1}` : undefined;
}
