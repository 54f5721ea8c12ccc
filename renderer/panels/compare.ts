import type { RunRecord } from '../../core/contract/run.ts';
import { formatValue } from '../../core/methods/param-text.ts';
import { paramFields } from '../../core/methods/parameters.ts';
import { formatAlike } from '../../core/report/format.ts';
import { baseParams } from '../forms/form-model.ts';
import { humanise, specOf } from './run-text.ts';

export interface ComparedRow {
  readonly label: string;
  /** A text for each run, in the order of the runs. */
  readonly texts: readonly string[];
  /** Which of them are the best; none when it does not matter or all are alike. */
  readonly best: ReadonlySet<number>;
}

type Compared = Pick<RunRecord, 'request' | 'metrics'>;

/** What was asked for and differs: method, models, data, device, parameters. */
export function differences(runs: readonly Compared[]): readonly ComparedRow[] {
  const tables = runs.map(({ request }) => {
    const spec = specOf(request.methodId);
    const entries: [string, string][] = [['Method', spec?.title ?? request.methodId]];
    if (request.recipe !== undefined) entries.push(['Recipe', spec?.recipes[request.recipe]?.title ?? request.recipe]);
    for (const [role, model] of Object.entries(request.models)) {
      entries.push([
        spec?.models[role]?.title ?? humanise(role),
        model.kind === 'zoo' ? model.architecture : model.path,
      ]);
    }
    for (const [role, { path, split, limit }] of Object.entries(request.data)) {
      const text = limit === undefined ? `${path}, ${split}` : `${path}, ${split}, ${limit} items`;
      entries.push([spec?.data[role]?.title ?? humanise(role), text]);
    }
    const params = { ...(spec ? baseParams(spec, undefined) : {}), ...request.params };
    const fields = new Map(spec ? paramFields(spec).map((field) => [field.name, field]) : []);
    for (const [name, value] of Object.entries(params)) {
      const field = fields.get(name);
      const text = value === undefined ? '–' : field ? formatValue(field.shape, value) : JSON.stringify(value);
      entries.push([field?.ui.title ?? humanise(name), text]);
    }
    entries.push(['Device', request.device], ['Threads', String(request.threads)]);
    return new Map(entries);
  });
  const labels = [...new Set(tables.flatMap((table) => [...table.keys()]))];
  return labels.flatMap((label) => {
    const texts = tables.map((table) => table.get(label) ?? '–');
    return new Set(texts).size > 1 ? [{ label, texts, best: new Set<number>() }] : [];
  });
}

/** Every figure that any of the runs has. */
export function figures(runs: readonly Compared[]): readonly ComparedRow[] {
  const specs = runs.map(({ request }) => specOf(request.methodId));
  const names = [...new Set(specs.flatMap((spec) => Object.keys(spec?.metrics ?? {})))];
  const others = runs.flatMap(({ metrics }) => Object.keys(metrics)).filter((name) => !names.includes(name));
  return [...names, ...new Set(others)].flatMap((name) => {
    const values = runs.map(({ metrics }) => metrics[name] ?? null);
    if (values.every((value) => value === null)) return [];
    const metric = specs.map((spec) => spec?.metrics[name]).find((found) => found !== undefined);
    return [
      {
        label: metric?.title ?? humanise(name),
        texts: formatAlike(values, metric?.unit ?? '1'),
        best: bestOf(values, metric?.better),
      },
    ];
  });
}

function bestOf(values: readonly (number | null)[], better: 'higher' | 'lower' | undefined): ReadonlySet<number> {
  const known = values.flatMap((value) => (value !== null && Number.isFinite(value) ? [value] : []));
  if (better === undefined || new Set(known).size < 2) return new Set();
  const best = better === 'higher' ? Math.max(...known) : Math.min(...known);
  return new Set(values.flatMap((value, index) => (value === best ? [index] : [])));
}
