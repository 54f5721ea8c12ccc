import type { DraftRequest } from '../../core/contract/bridge.ts';
import type { DataRef, DeviceName, ModelRef, RunRequest } from '../../core/contract/run.ts';
import type { DataNeed, MethodSpec, ModelNeed } from '../../core/methods/define.ts';
import { formatValue, parseValue } from '../../core/methods/param-text.ts';
import { describeShape, paramFields, type ParamField, type ValueShape } from '../../core/methods/parameters.ts';

import { modelWordsOf, noModelWords, readModelWords, type ModelWords } from './model-words.ts';

/** A form of any method, drawn from its declaration. Values are kept as the texts that the user sees and types. */
export interface Draft {
  readonly recipe: string | undefined;
  /** parameter → text, as on the command line. */
  readonly texts: Readonly<Record<string, string>>;
  /** role → path, `bundled:NAME` or architecture; '' for none. */
  readonly models: Readonly<Record<string, string>>;
  /** role → what is said about its file; of several models in one form it holds for each that is a file. */
  readonly words: Readonly<Record<string, ModelWords>>;
  readonly data: Readonly<Record<string, DataChoice>>;
  readonly device: DeviceName;
  /** '' for as many as usual. */
  readonly threads: string;
  /** Parameter, or `models.ROLE` → several values in place of its one; a run for each combination. */
  readonly vary: Readonly<Record<string, string>>;
}

export interface DataChoice {
  /** '' for none. */
  readonly path: string;
  readonly split: DataRef['split'];
  readonly format: DataRef['format'];
  /** '' for all items. */
  readonly limit: string;
}

/** What a form shows at first: the defaults under the recipe. */
export function newDraft(spec: MethodSpec, recipe?: string): Draft {
  const known = recipe !== undefined && Object.hasOwn(spec.recipes, recipe) ? recipe : undefined;
  return {
    recipe: known,
    texts: textsOf(spec, baseParams(spec, known)),
    models: mapValues(spec.models, (need) => need.default ?? ''),
    words: mapValues(spec.models, () => noModelWords),
    data: mapValues(spec.data, noData),
    device: 'auto',
    threads: '',
    vary: {},
  };
}

/** The form that asks for the same run. */
export function draftOf(spec: MethodSpec, request: RunRequest): Draft {
  const fresh = newDraft(spec, request.recipe);
  return {
    ...fresh,
    texts: textsOf(spec, { ...baseParams(spec, fresh.recipe), ...request.params }),
    models: mapValues(spec.models, (_, role) => modelText(request.models[role])),
    words: mapValues(spec.models, (_, role) => modelWordsOf(request.models[role])),
    data: mapValues(spec.data, (need, role) => {
      const reference = request.data[role];
      if (!reference) return noData(need);
      const { path, split, format, limit } = reference;
      return { path, split, format, limit: limit === undefined ? '' : String(limit) };
    }),
    device: request.device,
    threads: String(request.threads),
  };
}

/** Other recipe, other parameters; what was chosen beside them stays. */
export function withRecipe(spec: MethodSpec, draft: Draft, recipe: string | undefined): Draft {
  return { ...draft, recipe, texts: newDraft(spec, recipe).texts };
}

export interface ReadDraft {
  readonly request: DraftRequest;
  /**
   * Field → what is wrong with it: a parameter's name, `models.ROLE`, `models.ROLE.mean` (std, dims, classes), `data.ROLE`,
   * `data.ROLE.limit` or `threads`.
   */
  readonly problems: Readonly<Record<string, string>>;
  /** Those of them that nothing was given for yet. */
  readonly missing: readonly string[];
}

/** The request that the form stands for. Fields with problems are left out of it. */
export function readDraft(spec: MethodSpec, draft: Draft, architectures: readonly string[]): ReadDraft {
  const problems: Record<string, string> = {};
  const params: Record<string, unknown> = {};
  for (const field of paramFields(spec)) {
    const text = draft.texts[field.name] ?? '';
    const read = readParam(spec, field, text);
    if (read.ok) params[field.name] = read.value;
    else problems[field.name] = read.problem;
  }
  const models: Record<string, ModelRef> = {};
  for (const [role, need] of Object.entries(spec.models)) {
    const text = (draft.models[role] ?? '').trim();
    if (text !== '') models[role] = readModel(need, text, architectures, draft.words[role]);
    else if (!need.optional) problems[`models.${role}`] = 'Choose a model.';
    if (models[role]?.kind !== 'file') continue;
    const wrong = readModelWords(draft.words[role] ?? noModelWords).problems;
    for (const [part, problem] of Object.entries(wrong)) problems[`models.${role}.${part}`] = problem;
  }
  const data: Record<string, DataRef> = {};
  for (const [role, need] of Object.entries(spec.data)) {
    const choice = draft.data[role] ?? noData(need);
    const limit = limitProblem(choice);
    if (limit !== undefined) problems[`data.${role}.limit`] = limit;
    if (choice.path.trim() !== '') data[role] = { path: choice.path.trim(), ...readDetails(choice) };
    else if (!need.optional) problems[`data.${role}`] = 'Choose a data set.';
  }
  const threads = readThreads(draft.threads);
  if (threads === undefined) problems['threads'] = `Expected ${threadsRange}, got "${draft.threads}".`;
  return {
    problems,
    missing: Object.keys(problems).filter((field) => isEmpty(draft, field)),
    request: {
      methodId: spec.id,
      ...(draft.recipe === undefined ? {} : { recipe: draft.recipe }),
      params,
      models,
      data,
      device: draft.device,
      ...(threads === undefined || threads === null ? {} : { threads }),
    },
  };
}

export const threadsRange = 'a whole number from 1 to 256';

/** null for as many as usual; undefined for what is no number of threads. */
export function readThreads(text: string): number | null | undefined {
  if (text.trim() === '') return null;
  const threads = Number(text);
  return Number.isInteger(threads) && threads >= 1 && threads <= 256 ? threads : undefined;
}

function isEmpty({ texts, models, data }: Draft, field: string): boolean {
  const [kind, role, part] = field.split('.');
  if (part !== undefined) return false;
  const text = kind === 'models' ? models[role ?? ''] : kind === 'data' ? data[role ?? '']?.path : texts[field];
  return (text ?? '').trim() === '';
}

export type ReadParam =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

/** One parameter's text, checked by the declaration: its form first, then its range. */
export function readParam(spec: Pick<MethodSpec, 'params'>, field: ParamField, text: string): ReadParam {
  const trimmed = text.trim();
  if (trimmed === '' && field.fallback === undefined && !field.required) return { ok: true, value: undefined };
  const expected = `Expected ${describeShape(field.shape)}`;
  const parsed = trimmed === '' ? readNothing(field.shape) : parseValue(field.shape, trimmed);
  if (trimmed === '' && !parsed.ok) return { ok: false, problem: `${expected}.` };
  const schema = spec.params.shape[field.name];
  if (!parsed.ok || !schema) return { ok: false, problem: `${expected}, got "${trimmed}".` };
  const checked = spec.params.partial().safeParse({ [field.name]: parsed.value });
  if (checked.success) return { ok: true, value: parsed.value };
  return { ok: false, problem: `${expected}, got ${formatValue(field.shape, parsed.value)}.` };
}

/** An empty field is an empty text, a list without items, or no value, where such are allowed. */
function readNothing(shape: ValueShape): ReturnType<typeof parseValue> {
  if (shape.kind === 'text') return { ok: true, value: '' };
  if (shape.kind === 'list' && shape.fewest === 0) return { ok: true, value: [] };
  const mayBeNone = shape.kind === 'either' && shape.options.some(({ kind }) => kind === 'none');
  return mayBeNone ? { ok: true, value: null } : { ok: false };
}

/** Parameters whose text says something else than the recipe or the default. */
export function changedParams(spec: MethodSpec, draft: Draft): ReadonlySet<string> {
  const base = newDraft(spec, draft.recipe).texts;
  return new Set(Object.keys(base).filter((name) => (draft.texts[name] ?? '').trim() !== base[name]));
}

export function baseParams(spec: MethodSpec, recipe: string | undefined): Record<string, unknown> {
  const defaults = Object.fromEntries(paramFields(spec).map(({ name, fallback }) => [name, fallback]));
  return { ...defaults, ...(recipe === undefined ? {} : spec.recipes[recipe]?.params) };
}

function textsOf(spec: MethodSpec, params: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    paramFields(spec).map(({ name, shape }) => {
      const value = params[name];
      const isEmptyList = shape.kind === 'list' && Array.isArray(value) && value.length === 0;
      return [name, value === undefined || isEmptyList ? '' : formatValue(shape, value)];
    }),
  );
}

export function readModel(
  need: ModelNeed,
  text: string,
  architectures: readonly string[],
  words: ModelWords = noModelWords,
): ModelRef {
  const isZoo = need.zoo === true && architectures.includes(text);
  return isZoo ? { kind: 'zoo', architecture: text } : { kind: 'file', path: text, ...readModelWords(words).given };
}

function modelText(reference: ModelRef | undefined): string {
  if (!reference) return '';
  return reference.kind === 'zoo' ? reference.architecture : reference.path;
}

function limitProblem({ limit }: DataChoice): string | undefined {
  if (limit === '' || isLimit(limit)) return undefined;
  return `Expected a whole number of at least 1 for the items used, got "${limit}".`;
}

export const isLimit = (text: string): boolean => /^[1-9]\d{0,14}$/.test(text);

/** What holds for each of several data sets. */
export function readDetails({ split, format, limit }: DataChoice): Omit<DataRef, 'path'> {
  return { split, format, ...(isLimit(limit) ? { limit: Number(limit) } : {}) };
}

function noData(need: DataNeed): DataChoice {
  return { path: '', split: need.split ?? 'all', format: 'auto', limit: '' };
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T, key: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}
