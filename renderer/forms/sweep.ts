import type { DraftRequest } from '../../core/contract/bridge.ts';
import type { MethodSpec } from '../../core/methods/define.ts';
import { formatValue } from '../../core/methods/param-text.ts';
import { paramFields, type ParamField, type ValueShape } from '../../core/methods/parameters.ts';
import { combinations, countOf, mostRuns, valuesIn, type Axis } from '../../core/methods/sweep-values.ts';
import { isLimit, readDetails, readDraft, readModel, readParam, type Draft, type ReadDraft } from './form-model.ts';
import { noModelWords, readModelWords } from './model-words.ts';

/** Several values for a parameter, a model, data or a size make a group of runs: every combination is one. */

export interface ReadSweep {
  /** One for each run; the plain request alone when nothing is varied. */
  readonly requests: readonly DraftRequest[];
  readonly problems: ReadDraft['problems'];
  readonly missing: ReadDraft['missing'];
}

/** What one of the values makes of the request. */
type Change = (request: DraftRequest) => DraftRequest;
type ReadAxis = { readonly values: readonly Change[] } | { readonly problem: string };

export function readSweep(spec: MethodSpec, draft: Draft, architectures: readonly string[]): ReadSweep {
  const base = readDraft(spec, draft, architectures);
  const problems: Record<string, string> = { ...base.problems };
  const axes: Axis<Change>[] = [];
  for (const [key, text] of Object.entries(draft.vary)) {
    const read = readAxis(spec, draft, architectures, key, text);
    if (!read) continue;
    // What the one value says is wrong no longer counts.
    delete problems[key];
    if ('problem' in read) problems[key] = read.problem;
    else axes.push({ key, values: read.values });
  }
  const count = countOf(axes);
  const last = axes.at(-1);
  if (count > mostRuns && last) {
    problems[last.key] = `Together these are ${count.toLocaleString('en')} runs, expected at most ${mostRuns}.`;
  }
  const missing = base.missing.filter((field) => field in problems && !(field in draft.vary));
  if (Object.keys(problems).length > 0) return { requests: [base.request], problems, missing };
  const requests = combinations(axes).map((changes) =>
    [...changes.values()].reduce((request, change) => change(request), base.request),
  );
  return { requests, problems, missing };
}

function readAxis(
  spec: MethodSpec,
  draft: Draft,
  architectures: readonly string[],
  key: string,
  text: string,
): ReadAxis | undefined {
  const field = paramFields(spec).find(({ name }) => name === key);
  if (field) return readValues(spec, field, text);
  const [kind, role = '', part] = key.split('.');
  const model = kind === 'models' ? spec.models[role] : undefined;
  if (model && part === 'dims') return readSizes(role, text);
  if (model && part === undefined) {
    const paths = valuesIn(text);
    if (paths.length === 0) return { problem: 'Choose at least one model.' };
    const words = draft.words[role];
    return { values: paths.map((path) => withModel(role, readModel(model, path, architectures, words))) };
  }
  if (kind !== 'data' || !spec.data[role]) return undefined;
  if (part === 'limit') {
    const hasData = draft.vary[`data.${role}`] !== undefined || (draft.data[role]?.path ?? '').trim() !== '';
    return hasData ? readLimits(role, text) : { problem: 'Choose the data first.' };
  }
  const paths = valuesIn(text);
  if (paths.length === 0) return { problem: 'Choose at least one data set.' };
  const choice = draft.data[role];
  const details = choice ? readDetails(choice) : { split: 'all' as const, format: 'auto' as const };
  return { values: paths.map((path) => withData(role, (before) => ({ ...details, ...before, path }))) };
}

type Model = DraftRequest['models'][string];
type Data = DraftRequest['data'][string];

const withModel =
  (role: string, model: Model): Change =>
  (request) => ({ ...request, models: { ...request.models, [role]: model } });

/** The path comes with the axis of paths, or is in the request already. */
const withData =
  (role: string, change: (before: Partial<Data>) => Partial<Data>): Change =>
  (request) => {
    const before: Partial<Data> = request.data[role] ?? {};
    return { ...request, data: { ...request.data, [role]: { path: '', ...before, ...change(before) } } };
  };

const count: ValueShape = { kind: 'number', whole: true };

function readLimits(role: string, text: string): ReadAxis {
  const limits = valuesIn(text, count);
  const wrong = limits.find((each) => !isLimit(each));
  if (wrong !== undefined) return { problem: `Expected whole numbers of at least 1, got "${wrong}".` };
  if (limits.length === 0) return { problem: 'Expected at least one number of items.' };
  return { values: limits.map((limit) => withData(role, () => ({ limit: Number(limit) }))) };
}

function readSizes(role: string, text: string): ReadAxis {
  const reads = valuesIn(text).map((dims) => readModelWords({ ...noModelWords, dims }));
  const problem = reads.find((read) => read.problems.dims !== undefined)?.problems.dims;
  if (problem !== undefined) return { problem };
  if (reads.length === 0) return { problem: 'Expected sizes, for instance height=32,width=32; height=64,width=64.' };
  return {
    values: reads.map(({ given }) => (request) => {
      const model = request.models[role];
      return model?.kind === 'file' && given.dims ? withModel(role, { ...model, dims: given.dims })(request) : request;
    }),
  };
}

function readValues(spec: Pick<MethodSpec, 'params'>, field: ParamField, text: string): ReadAxis {
  const texts = valuesIn(text, field.shape);
  if (texts.length === 0) return { problem: 'Expected at least one value.' };
  const values = new Map<string, unknown>();
  for (const each of texts) {
    const read = readParam(spec, field, each);
    if (!read.ok) return { problem: read.problem };
    values.set(formatValue(field.shape, read.value), read.value);
  }
  return {
    values: [...values.values()].map((value) => (request) => ({
      ...request,
      params: { ...request.params, [field.name]: value },
    })),
  };
}

/** The draft with one field varied from its present value on, or no longer varied. */
export function withVaried(draft: Draft, key: string, text: string | undefined): Draft {
  const { [key]: _, ...others } = draft.vary;
  return { ...draft, vary: text === undefined ? others : { ...others, [key]: text } };
}
