import type { GridColDef } from '@mui/x-data-grid';
import type { RunQuery, RunRow } from '../../core/contract/history.ts';
import type { MethodSpec } from '../../core/methods/define.ts';
import { formatValue as formatParam } from '../../core/methods/param-text.ts';
import { paramFields } from '../../core/methods/parameters.ts';
import { formatAlike, formatDuration, formatValue, missing } from '../../core/report/format.ts';
import { LiveProgress } from './LiveProgress.tsx';
import { runChanges } from './run-changes.ts';
import { formatWhen, headline, reason, runSubjects, runTitle, specOf } from './run-text.ts';
import { StateMark } from './StateMark.tsx';
import { variedTitle, variedValue, type Varied } from './varied.ts';

/** What the runs of one group have in common. */
const subjectColumns: readonly GridColDef<RunRow>[] = [
  {
    field: 'methodId',
    headerName: 'Run',
    flex: 1.1,
    minWidth: 200,
    valueGetter: (_, row) => runTitle(row),
    cellClassName: 'run-title',
  },
  {
    field: 'models',
    headerName: 'Models and data',
    flex: 0.75,
    minWidth: 170,
    sortable: false,
    valueGetter: (_, row) => runSubjects(row),
  },
  {
    field: 'changes',
    headerName: 'Changed',
    flex: 0.6,
    minWidth: 150,
    sortable: false,
    valueGetter: (_, row) => runChanges(row),
  },
];

/** Columns of the table of runs; with one method chosen, its figures have columns of their own. `varied`: of a
 * group, what tells its runs apart. */
export function runColumns(
  methodId: string | undefined,
  varied: readonly Varied[] | undefined,
  rows: readonly RunRow[] = [],
): readonly GridColDef<RunRow>[] {
  const spec = methodId === undefined ? undefined : specOf(methodId);
  const fields = new Map(spec ? paramFields(spec).map((field) => [field.name, field]) : []);
  const differing = (varied ?? []).map((each): GridColDef<RunRow> => {
    const { field, name, kind } = each;
    const param = kind === 'params' ? fields.get(name) : undefined;
    const isNumber = kind === 'limits' || param?.shape.kind === 'number';
    return {
      field,
      headerName: variedTitle(spec, each),
      width: isNumber ? 110 : 150,
      sortable: kind === 'params',
      align: isNumber ? 'right' : 'left',
      headerAlign: isNumber ? 'right' : 'left',
      valueGetter: (_, row) => {
        const value = variedValue(row, each);
        if (value === undefined) return missing;
        return param ? formatParam(param.shape, value) : typeof value === 'string' ? value : JSON.stringify(value);
      },
    };
  });
  const figures: GridColDef<RunRow>[] = spec
    ? shownMetrics(spec, varied ? rows : []).map((name) => {
        const metric = spec.metrics[name];
        const unit = metric?.unit ?? '1';
        const alike = new Map(
          formatAlike(
            rows.map((row) => row.metrics[name] ?? null),
            unit,
          ).map((text, at) => [rows[at]?.runId, text]),
        );
        return {
          field: `metrics.${name}`,
          headerName: metric?.title ?? name,
          type: 'number',
          width: 136,
          valueGetter: (_, row) => row.metrics[name] ?? null,
          renderCell: ({ row }) => alike.get(row.runId) ?? formatValue(row.metrics[name] ?? null, unit),
        };
      })
    : [
        {
          field: 'result',
          headerName: 'Result',
          width: 190,
          sortable: false,
          valueGetter: (_, row) => headline(row) ?? reason(row) ?? missing,
          renderCell: ({ row, value }) =>
            row.state === 'running' ? <LiveProgress runId={row.runId} show="left" /> : String(value),
        },
      ];
  return [
    {
      field: 'state',
      headerName: 'State',
      width: 126,
      renderCell: ({ row }) => (
        <>
          <StateMark state={row.state} isPaused={row.isPaused} />{' '}
          {row.state === 'running' && <LiveProgress runId={row.runId} show="share" />}
        </>
      ),
    },
    ...differing,
    ...(varied && spec ? [] : subjectColumns),
    ...figures,
    {
      field: 'tags',
      headerName: 'Tags',
      width: 96,
      sortable: false,
      valueGetter: (_, row) => row.tags.join(', '),
    },
    { field: 'note', headerName: 'Note', width: 160 },
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

const mostMetrics = 6;

/** The method's columns; of rows that have none of some of them, other figures take their place. */
function shownMetrics(spec: MethodSpec, rows: readonly Pick<RunRow, 'metrics'>[]): readonly string[] {
  const known = (name: string): boolean => rows.some(({ metrics }) => typeof metrics[name] === 'number');
  const present = [...new Set([...spec.columns, ...Object.keys(spec.metrics)])].filter(known);
  return present.length === 0 ? spec.columns : present.slice(0, mostMetrics);
}

type SortBy = NonNullable<RunQuery['sort']>['by'];

/** Fields of sortable columns are named as the host names them. */
export function sortName(field: string): SortBy {
  return field;
}
