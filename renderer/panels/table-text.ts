import type { FilledRow, LiveTable } from '../../core/contract/live-table.ts';
import { csvText } from './save.ts';

/** The table as it stands: a value and what it was measured on for each column. */
export function tableCsv({ rowTitle, columnTitle, columns, of }: LiveTable, rows: readonly FilledRow[]): string {
  const head = columns.flatMap((column) => [`${columnTitle} ${column}`, of]);
  return csvText([
    [rowTitle, ...head],
    ...rows.map(({ label, cells }) => [label, ...cells.flatMap((cell) => [cell?.value ?? '', cell?.done ?? 0])]),
  ]);
}
