import type { RunRow } from '../../core/contract/history.ts';
import type { MethodSpec } from '../../core/methods/define.ts';
import { formatValue } from '../../core/methods/param-text.ts';
import { paramFields } from '../../core/methods/parameters.ts';
import { baseParams } from '../forms/form-model.ts';
import { specOf } from './run-text.ts';

type Row = Pick<RunRow, 'methodId' | 'recipe' | 'params'>;

const shownAtMost = 3;
/** Rows are asked again at each redraw. */
const known = new WeakMap<Row, string>();

/** What a run was asked that its recipe does not say: "Impressions 40, Seed 1"; nothing when that is all. */
export function runChanges(row: Row): string {
  const before = known.get(row);
  if (before !== undefined) return before;
  const spec = specOf(row.methodId);
  const text = spec ? changesOf(spec, row) : '';
  known.set(row, text);
  return text;
}

function changesOf(spec: MethodSpec, { recipe, params }: Row): string {
  const base = baseParams(spec, recipe ?? undefined);
  const changed = paramFields(spec)
    .filter(({ name }) => params[name] !== undefined && JSON.stringify(params[name]) !== JSON.stringify(base[name]))
    // Often all that tells the runs of a group apart.
    .toSorted((a, b) => Number(b.name === 'seed') - Number(a.name === 'seed'));
  const texts = changed
    .slice(0, shownAtMost)
    .map(({ name, shape, ui }) => `${ui.title} ${formatValue(shape, params[name])}`);
  return [...texts, ...(changed.length > shownAtMost ? [`${changed.length - shownAtMost} more`] : [])].join(', ');
}
