import { fillTable } from '../core/contract/live-table.ts';
import { formatNumber, formatValue, missing } from '../core/report/format.ts';
import type { WorkspaceReader } from '../core/store/workspace.ts';
import { columnsOf } from './terminal.ts';

/** Each table of a run, as far as it is filled: title and lines. */
export function tableBlocks(reader: Pick<WorkspaceReader, 'tables' | 'series'>, runId: string): readonly string[][] {
  const tables = reader.tables(runId);
  if (tables.length === 0) return [];
  const series = reader.series(runId);
  return tables.map((table) => {
    const rows = fillTable(table, (name) => series[name]?.at(-1)).map(({ label, cells }) => [
      label,
      ...cells.map((cell) => {
        if (!cell) return missing;
        const progress = cell.done < table.total ? ` (${formatNumber(cell.done)})` : '';
        return `${formatValue(cell.value, table.unit)}${progress}`;
      }),
    ]);
    const head = [
      table.rowTitle,
      ...table.columns.map((column, i) => (i === 0 ? `${table.columnTitle} ${column}` : column)),
    ];
    const right = table.columns.map((_, i) => i + 1);
    const title = `${table.title}, of ${formatNumber(table.total)} ${table.of}`;
    return [title, ...columnsOf([head, ...rows], right).map((line) => `  ${line}`)];
  });
}
