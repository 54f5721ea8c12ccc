import type { DraftRequest } from '../../core/contract/bridge.ts';
import type { MethodSpec } from '../../core/methods/define.ts';
import { formatValue } from '../../core/methods/param-text.ts';
import { paramFields, type ParamField, type ValueShape } from '../../core/methods/parameters.ts';
import { readDraft, readModel, readParam, type Draft, type ReadDraft } from './form-model.ts';

/** Several values for a parameter or a model make a group of runs: every combination is one. */

export interface ReadSweep {
  /** One for each run; the plain request alone when nothing is varied. */
  readonly requests: readonly DraftRequest[];
  readonly problems: ReadDraft['problems'];
  readonly missing: ReadDraft['missing'];
}

export const mostRuns = 500;

interface Axis {
  readonly key: string;
  readonly values: readonly unknown[];
}

export function readSweep(spec: MethodSpec, draft: Draft, architectures: readonly string[]): ReadSweep {
  const base = readDraft(spec, draft, architectures);
  const problems: Record<string, string> = { ...base.problems };
  const fields = new Map(paramFields(spec).map((field) => [field.name, field]));
  const axes: Axis[] = [];
  for (const [key, text] of Object.entries(draft.vary)) {
    const field = fields.get(key);
    const role = key.startsWith('models.') ? key.slice('models.'.length) : '';
    const need = spec.models[role];
    // What the one value says is wrong no longer counts.
    if (field || need) delete problems[key];
    if (field) {
      const read = readValues(spec, field, text);
      if ('problem' in read) problems[key] = read.problem;
      else axes.push({ key, values: read.values });
    } else if (need) {
      const paths = valuesIn(text, ['\n']);
      if (paths.length === 0) problems[key] = 'Choose at least one model.';
      else axes.push({ key, values: paths.map((path) => readModel(need, path, architectures, draft.words[role])) });
    }
  }
  const count = axes.reduce((product, { values }) => product * values.length, 1);
  const last = axes.at(-1);
  if (count > mostRuns && last) {
    problems[last.key] = `Together these are ${count.toLocaleString('en')} runs, expected at most ${mostRuns}.`;
  }
  const missing = base.missing.filter((field) => field in problems && !(field in draft.vary));
  if (Object.keys(problems).length > 0) return { requests: [base.request], problems, missing };
  return { requests: axes.reduce(crossed, [base.request]), problems, missing };
}

function crossed(requests: readonly DraftRequest[], { key, values }: Axis): readonly DraftRequest[] {
  return requests.flatMap((request) => values.map((value) => withValue(request, key, value)));
}

function withValue(request: DraftRequest, key: string, value: unknown): DraftRequest {
  if (!key.startsWith('models.')) return { ...request, params: { ...request.params, [key]: value } };
  const role = key.slice('models.'.length);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- made by readModel
  return { ...request, models: { ...request.models, [role]: value as DraftRequest['models'][string] } };
}

type ReadValues = { readonly values: readonly unknown[] } | { readonly problem: string };

/** "0.1; 0.2", "1, 2, 4" and "0..4" for whole numbers; the same value twice is one. */
function readValues(spec: Pick<MethodSpec, 'params'>, field: ParamField, text: string): ReadValues {
  // A list has commas of its own.
  const texts = valuesIn(text, isPlain(field.shape) ? [';', '\n', ','] : [';', '\n']).flatMap((each) =>
    isWhole(field.shape) ? rangeOf(each) : [each],
  );
  if (texts.length === 0) return { problem: 'Expected at least one value.' };
  const values = new Map<string, unknown>();
  for (const each of texts) {
    const read = readParam(spec, field, each);
    if (!read.ok) return { problem: read.problem };
    values.set(formatValue(field.shape, read.value), read.value);
  }
  return { values: [...values.values()] };
}

function valuesIn(text: string, separators: readonly string[]): readonly string[] {
  const parts = separators.reduce<readonly string[]>((all, each) => all.flatMap((part) => part.split(each)), [text]);
  return parts.map((part) => part.trim()).filter((part) => part !== '');
}

function isPlain(shape: ValueShape): boolean {
  if (shape.kind === 'either') return shape.options.every(isPlain);
  return shape.kind !== 'list' && shape.kind !== 'json' && shape.kind !== 'text';
}

const isWhole = (shape: ValueShape): boolean => shape.kind === 'number' && shape.whole;

/** "2..5" → 2, 3, 4, 5; anything else stays what it is, and is refused where it is no value. */
function rangeOf(text: string): readonly string[] {
  const [, from, to] = /^(\d{1,9})\s*(?:\.\.|…|–)\s*(\d{1,9})$/.exec(text) ?? [];
  const [first, last] = [Number(from), Number(to)];
  if (from === undefined || to === undefined || last < first || last - first >= mostRuns) return [text];
  return Array.from({ length: last - first + 1 }, (_, i) => String(first + i));
}

/** The draft with one field varied from its present value on, or no longer varied. */
export function withVaried(draft: Draft, key: string, text: string | undefined): Draft {
  const { [key]: _, ...others } = draft.vary;
  return { ...draft, vary: text === undefined ? others : { ...others, [key]: text } };
}
