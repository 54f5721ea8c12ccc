import Box from '@mui/material/Box';
import LinearProgress from '@mui/material/LinearProgress';
import Table from '@mui/material/Table';
import TableBody from '@mui/material/TableBody';
import TableCell from '@mui/material/TableCell';
import TableHead from '@mui/material/TableHead';
import TableRow from '@mui/material/TableRow';
import { fillTable, type LiveTable, type TableCell as Cell } from '../../../core/contract/live-table.ts';
import { formatNumber, formatValue } from '../../../core/report/format.ts';
import type { RunView } from '../../bridge/run-state.ts';
import { CopyButton } from '../CopyButton.tsx';
import { Section } from '../Page.tsx';
import { tableCsv } from '../table-text.ts';

/** Tables of the run as they fill, and as they stand when it has ended. */
export function LiveTables({ view: { details, series } }: { readonly view: Pick<RunView, 'details' | 'series'> }) {
  return details.tables.map((table) => {
    const rows = fillTable(table, (name) => series.get(name)?.last);
    return (
      <Section
        key={table.name}
        title={table.title}
        aside={<CopyButton text={tableCsv(table, rows)} title="Copy as CSV" />}
      >
        <Box sx={{ overflowX: 'auto' }}>
          <Table size="small" aria-label={table.title} sx={{ width: 'auto', minWidth: 360 }}>
            <TableHead>
              <TableRow>
                <TableCell>{table.rowTitle}</TableCell>
                {table.columns.map((column, index) => (
                  <TableCell key={column} align="right">
                    {index === 0 ? `${table.columnTitle} ${column}` : column}
                  </TableCell>
                ))}
              </TableRow>
            </TableHead>
            <TableBody>
              {rows.map(({ label, kind, cells }, index) => (
                <TableRow
                  key={label}
                  sx={{
                    ...(kind === 'summary' && { '& > *': { fontWeight: 650, color: 'primary.main' } }),
                    ...(kind === 'apart' && { '& > *': { color: 'text.secondary' } }),
                    ...(kind === 'apart' &&
                      rows[index - 1]?.kind !== 'apart' && { '& > *': { borderTop: 2, borderTopColor: 'divider' } }),
                  }}
                >
                  <TableCell component="th" scope="row">
                    {label}
                  </TableCell>
                  {cells.map((cell, column) => (
                    <TableCell key={table.columns[column]} align="right" sx={{ minWidth: 104 }}>
                      <CellText table={table} cell={cell} />
                    </TableCell>
                  ))}
                </TableRow>
              ))}
            </TableBody>
          </Table>
        </Box>
      </Section>
    );
  });
}

/** Quiet before anything is known; with how much it is of while it fills. */
function CellText({
  table: { unit, total, of },
  cell,
}: {
  readonly table: LiveTable;
  readonly cell: Cell | undefined;
}) {
  if (!cell) {
    return (
      <Box component="span" sx={{ color: 'text.secondary', opacity: 0.5 }} aria-label="not reached yet">
        –
      </Box>
    );
  }
  const text = formatValue(cell.value, unit);
  if (cell.done >= total) return text;
  const progress = `${formatNumber(cell.done)} of ${formatNumber(total)}`;
  return (
    <>
      {text}
      <Box sx={{ fontSize: '0.6875rem', fontWeight: 400, color: 'text.secondary' }}>{progress}</Box>
      <LinearProgress
        variant="determinate"
        value={(100 * cell.done) / total}
        aria-label={`${progress} ${of}`}
        sx={{ height: 2 }}
      />
    </>
  );
}
