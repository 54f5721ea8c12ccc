import { ClassNames, Normalisation, type ModelRef } from '../../core/contract/run.ts';
import { formatValue, parseValue } from '../../core/methods/param-text.ts';
import type { ValueShape } from '../../core/methods/parameters.ts';

/** What is said about a model file beside its path, as texts; '' for what the file itself says. */
export interface ModelWords {
  /** One number a channel or one for all, apart by commas; of pixels in [0, 1]. */
  readonly mean: string;
  readonly std: string;
  /** `height=32, width=32`: sizes that the file leaves open. */
  readonly dims: string;
  /** Apart by commas, or JSON where a name has one itself; in the order of the logits. */
  readonly classes: string;
}

export const noModelWords: ModelWords = { mean: '', std: '', dims: '', classes: '' };

const namesShape: ValueShape = { kind: 'list', item: { kind: 'text' }, fewest: 1, most: undefined };

type FileRef = Extract<ModelRef, { kind: 'file' }>;

export interface ReadModelWords {
  readonly given: Pick<FileRef, 'normalisation' | 'dims' | 'classNames'>;
  readonly problems: Partial<Record<keyof ModelWords, string>>;
}

/** The words as a request takes them; what is wrong is left out and said. */
export function readModelWords({ mean, std, dims, classes }: ModelWords): ReadModelWords {
  const problems: Partial<Record<keyof ModelWords, string>> = {};
  const [means, deviations, sizes] = [numbersIn(mean), numbersIn(std), readDims(dims)];
  const expected = 'Expected numbers apart by commas, one a channel or one for all';
  if (means === undefined) problems.mean = `${expected}, got "${mean}".`;
  if (deviations === undefined || deviations.some((value) => value <= 0)) {
    problems.std = `${expected}, each above 0, got "${std}".`;
  }
  if (means && deviations && (means.length === 0) !== (deviations.length === 0)) {
    problems[means.length === 0 ? 'mean' : 'std'] = 'Mean and deviation are given together.';
  }
  if (sizes === undefined) problems.dims = `Expected NAME=SIZE apart by commas, got "${dims}".`;
  const names = parseValue(namesShape, classes.trim());
  const classNames = ClassNames.safeParse(names.ok ? names.value : undefined);
  if (classes.trim() !== '' && !classNames.success) {
    problems.classes = `Expected names apart by commas, or a JSON list of them, got "${classes}".`;
  }
  const normalisation = Normalisation.safeParse({ mean: means, std: deviations });
  const hasDims = sizes !== undefined && Object.keys(sizes).length > 0;
  return {
    problems,
    given: {
      ...(normalisation.success ? { normalisation: normalisation.data } : {}),
      ...(hasDims ? { dims: sizes } : {}),
      ...(classNames.success ? { classNames: classNames.data } : {}),
    },
  };
}

/** The words that ask for the same. */
export function modelWordsOf(model: ModelRef | undefined): ModelWords {
  if (model?.kind !== 'file') return noModelWords;
  const { normalisation, dims = {}, classNames, classNamesFrom } = model;
  return {
    mean: normalisation?.mean.join(', ') ?? '',
    std: normalisation?.std.join(', ') ?? '',
    dims: Object.entries(dims)
      .map(([name, size]) => `${name}=${size}`)
      .join(', '),
    // What was found is found again.
    classes: classNames && classNamesFrom === undefined ? formatValue(namesShape, classNames) : '',
  };
}

function numbersIn(text: string): number[] | undefined {
  const parts = partsOf(text);
  const values = parts.map(Number);
  return values.every(Number.isFinite) ? values : undefined;
}

function readDims(text: string): Record<string, number> | undefined {
  const entries = partsOf(text).map((part) => /^(.+)=\s*([1-9]\d{0,8})$/.exec(part));
  if (!entries.every((entry) => entry !== null)) return undefined;
  return Object.fromEntries(entries.map(([, name = '', size]) => [name.trim(), Number(size)]));
}

const partsOf = (text: string): string[] =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
