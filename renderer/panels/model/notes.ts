import { classNamesInText } from '../../../core/contract/class-names.ts';
import { Normalisation } from '../../../core/contract/run.ts';

type Read<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: string };

/** Names of classes, one a line or as files have them; none at all takes them back (null). */
export function readNames(text: string, classCount: number): Read<string[] | null> {
  const pasted = classNamesInText(text);
  if (pasted?.length === classCount) return { ok: true, value: [...pasted] };
  const names = text.split('\n').map((name) => name.trim());
  while (names.at(-1) === '') names.pop();
  if (names.length === 0) return { ok: true, value: null };
  if (names.length === classCount) return { ok: true, value: names };
  return { ok: false, problem: `Expected ${classCount} names, got ${names.length}.` };
}

/** Mean and standard deviation, numbers separated by commas; both empty takes them back (null). */
export function readNormalisation(mean: string, std: string): Read<Normalisation | null> {
  if (mean.trim() === '' && std.trim() === '') return { ok: true, value: null };
  const value = { mean: numbers(mean), std: numbers(std) };
  const problem = 'Expected as many numbers for the mean as for the standard deviation, which are above 0.';
  const parsed = Normalisation.safeParse(value);
  return parsed.success && value.mean.length === value.std.length
    ? { ok: true, value: parsed.data }
    : { ok: false, problem };
}

function numbers(text: string): number[] {
  return text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
}
