import type { RunRow } from '../../core/contract/history.ts';

/** What was varied among runs: parameters and roles of models that do not have one value in all of them. */
export interface Varied {
  /** `params.NAME` or `models.ROLE`; parameters can be sorted by on the host. */
  readonly field: string;
  readonly name: string;
  readonly kind: 'param' | 'model';
}

export function variedIn(rows: readonly Pick<RunRow, 'params' | 'models'>[]): readonly Varied[] {
  const differing = (records: readonly Readonly<Record<string, unknown>>[]): readonly string[] => {
    const names = new Set(records.flatMap((record) => Object.keys(record)));
    return [...names].filter((name) => new Set(records.map((record) => JSON.stringify(record[name]))).size > 1);
  };
  return [
    ...differing(rows.map(({ models }) => models)).map((name): Varied => {
      return { field: `models.${name}`, name, kind: 'model' };
    }),
    ...differing(rows.map(({ params }) => params)).map((name): Varied => {
      return { field: `params.${name}`, name, kind: 'param' };
    }),
  ];
}
