import type { GridColDef } from '@mui/x-data-grid';
import Box from '@mui/material/Box';
import type { RunQuery, RunRow } from '../../core/contract/history.ts';
import { formatDuration, formatValue, missing } from '../../core/report/format.ts';
import { formatWhen, headline, runSubjects, runTitle, specOf } from './run-text.ts';
import { StateMark } from './StateMark.tsx';

/** Columns of the table of runs; with one method chosen, its figures have columns of their own. */
export function runColumns(methodId: string | undefined): readonly GridColDef<RunRow>[] {
  const spec = methodId === undefined ? undefined : specOf(methodId);
  const figures: GridColDef<RunRow>[] = spec
    ? spec.columns.map((name) => {
        const metric = spec.metrics[name];
        return {
          field: `metrics.${name}`,
          headerName: metric?.title ?? name,
          type: 'number',
          width: 136,
          valueGetter: (_, row) => row.metrics[name] ?? null,
          renderCell: ({ row }) => formatValue(row.metrics[name] ?? null, metric?.unit ?? '1'),
        };
      })
    : [
        {
          field: 'result',
          headerName: 'Result',
          width: 190,
          sortable: false,
          valueGetter: (_, row) => headline(row) ?? row.error?.message ?? missing,
        },
      ];
  return [
    { field: 'state', headerName: 'State', width: 116, renderCell: ({ row }) => <StateMark state={row.state} /> },
    {
      field: 'methodId',
      headerName: 'Run',
      flex: 1,
      minWidth: 200,
      valueGetter: (_, row) => runTitle(row),
      renderCell: ({ row }) => (
        <Box sx={{ fontWeight: 550, overflow: 'hidden', textOverflow: 'ellipsis' }}>{runTitle(row)}</Box>
      ),
    },
    {
      field: 'models',
      headerName: 'Models and data',
      flex: 0.6,
      minWidth: 170,
      sortable: false,
      valueGetter: (_, row) => runSubjects(row),
    },
    ...figures,
    {
      field: 'tags',
      headerName: 'Tags',
      width: 96,
      sortable: false,
      valueGetter: (_, row) => row.tags.join(', '),
    },
    {
      field: 'createdAtMs',
      headerName: 'Created',
      width: 118,
      valueFormatter: (value: number) => formatWhen(value, Date.now()),
    },
    {
      field: 'durationMs',
      headerName: 'Time',
      type: 'number',
      width: 104,
      renderCell: ({ row }) => (row.durationMs > 0 ? formatDuration(row.durationMs) : missing),
    },
  ];
}

type SortBy = NonNullable<RunQuery['sort']>['by'];

/** Fields of sortable columns are named as the host names them. */
export function sortName(field: string): SortBy {
  return field;
}
