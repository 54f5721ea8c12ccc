import type { RunRow } from '../../core/contract/history.ts';
import type { MethodSpec } from '../../core/methods/define.ts';
import { paramFields } from '../../core/methods/parameters.ts';

const kinds = ['models', 'dims', 'data', 'limits', 'params'] as const;

/** What a form can vary of a run. */
export type RunParts = Pick<RunRow, 'params' | 'models'> & Partial<Pick<RunRow, (typeof kinds)[number]>>;

/** What was varied among runs: whatever does not have one value in all of them. */
export interface Varied {
  /** `params.NAME`, `models.ROLE`, `data.ROLE` …; parameters can be sorted by on the host. */
  readonly field: string;
  /** Of the parameter, or the role. */
  readonly name: string;
  readonly kind: (typeof kinds)[number];
}

export function variedIn(rows: readonly RunParts[]): readonly Varied[] {
  return kinds.flatMap((kind) => {
    const records = rows.map((row) => row[kind] ?? {});
    const names = new Set(records.flatMap((record) => Object.keys(record)));
    return [...names]
      .map((name): Varied => ({ field: `${kind}.${name}`, name, kind }))
      .filter((varied) => new Set(rows.map((row) => JSON.stringify(variedValue(row, varied)))).size > 1);
  });
}

export const variedValue = (row: RunParts, { kind, name }: Varied): unknown => row[kind]?.[name];

/** What it is called on the screen. */
export function variedTitle(spec: Pick<MethodSpec, 'params' | 'models' | 'data'> | undefined, varied: Varied): string {
  const { kind, name } = varied;
  const role = (spec?.models[name] ?? spec?.data[name])?.title ?? name;
  if (kind === 'limits') return `${role}, items`;
  if (kind === 'dims') return `${role}, sizes`;
  if (kind !== 'params') return role;
  return (spec && paramFields(spec).find((field) => field.name === name)?.ui.title) ?? name;
}
