import { z } from 'zod';

/**
 * A table that fills while a run computes. Its rows and columns are said once; each cell is a curve of the run, named by
 * `cellSeries`, whose newest point is what the cell shows: the value, and as its step how much of `total` it was measured on.
 */
export const LiveTable = z.object({
  /** Of the run; the family of its curves. Without a dot. */
  name: z.string().regex(/^[^.]+$/),
  title: z.string(),
  /** 'fraction' is printed as percent. */
  unit: z.string(),
  rowTitle: z.string(),
  columnTitle: z.string(),
  rows: z
    .array(
      z.object({
        label: z.string().min(1),
        /** summary: what the other rows come to; apart: not of the comparison, a control. */
        kind: z.enum(['usual', 'summary', 'apart']).default('usual'),
      }),
    )
    .min(1)
    .max(1000),
  columns: z.array(z.string().min(1)).min(1).max(100),
  /** What a finished cell was measured on, and what that is: 1000 'images'. */
  total: z.int().positive(),
  of: z.string(),
});
export type LiveTable = z.infer<typeof LiveTable>;

/** The curve of a cell. */
export const cellSeries = (table: Pick<LiveTable, 'name'>, row: string, column: string): string =>
  `${table.name}.${row}, ${column}`;

export interface TableCell {
  readonly value: number;
  /** Of the table's total. */
  readonly done: number;
}

export interface FilledRow {
  readonly label: string;
  readonly kind: LiveTable['rows'][number]['kind'];
  /** By column; undefined where nothing was measured yet. */
  readonly cells: readonly (TableCell | undefined)[];
}

/** The table with what is known by now; `newest` gives the last point of a curve. Rows that stand apart come last. */
export function fillTable(
  table: LiveTable,
  newest: (series: string) => { readonly step: number; readonly value: number } | undefined,
): readonly FilledRow[] {
  const rows = table.rows.map(({ label, kind }): FilledRow => {
    const cells = table.columns.map((column) => {
      const point = newest(cellSeries(table, label, column));
      return point && { value: point.value, done: point.step };
    });
    return { label, kind, cells };
  });
  return [...rows.filter(({ kind }) => kind !== 'apart'), ...rows.filter(({ kind }) => kind === 'apart')];
}

/** A name that comes again replaces the table, in its place. */
export function withTable(tables: readonly LiveTable[], table: LiveTable): LiveTable[] {
  const at = tables.findIndex(({ name }) => name === table.name);
  return at < 0 ? [...tables, table] : tables.with(at, table);
}
