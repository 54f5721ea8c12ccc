import type { SeriesCurve } from '../contract/bridge.ts';
import { tableCsv } from '../report/csv.ts';
import type { WorkspaceReader } from '../store/workspace.ts';

type Row = (number | null)[];

/** Curves next to each other with every point that is stored, where a screen shows some: a row a step, a column a curve. */
export function seriesCsv(
  workspace: Pick<WorkspaceReader, 'thinnedSeries'>,
  xTitle: string,
  curves: readonly SeriesCurve[],
): string {
  const columns = curves.map(
    ({ runId, name }) =>
      workspace.thinnedSeries(runId, { names: [name], maxPoints: Number.MAX_SAFE_INTEGER })[name]?.points ?? [],
  );
  return tableCsv({
    kind: 'table',
    title: xTitle,
    columns: [{ title: xTitle }, ...curves.map(({ label }) => ({ title: label }))],
    rows: merged(columns),
  });
}

/** Columns in order of their steps become rows in that order; null where one has no point. */
function merged(columns: readonly (readonly { readonly step: number; readonly value: number }[])[]): Row[] {
  const next = columns.map(() => 0);
  const rows: Row[] = [];
  for (;;) {
    let step = Number.POSITIVE_INFINITY;
    columns.forEach((points, column) => {
      step = Math.min(step, points[next[column] ?? 0]?.step ?? Number.POSITIVE_INFINITY);
    });
    if (step === Number.POSITIVE_INFINITY) return rows;
    const row: Row = [step];
    columns.forEach((points, column) => {
      const at = next[column] ?? 0;
      const point = points[at];
      const isHere = point?.step === step;
      if (isHere) next[column] = at + 1;
      row.push(isHere ? point.value : null);
    });
    rows.push(row);
  }
}
