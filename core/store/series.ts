import type { Series } from '../contract/history.ts';
import type { MetricPoint } from '../contract/run.ts';
import type { Connection } from './connection.ts';

/** Every metric's points in order of step. */
export function readSeries(db: Connection, runId: string): Record<string, MetricPoint[]> {
  const points = db
    .prepare<[string], MetricPoint>('SELECT name, step, value FROM metrics WHERE run_id = ? ORDER BY name, step')
    .all(runId);
  const series: Record<string, MetricPoint[]> = {};
  for (const point of points) (series[point.name] ??= []).push(point);
  return series;
}

/** A point that is stored already is replaced: a resumed job repeats the steps after its checkpoint. */
export function writePoints(db: Connection, runId: string, points: readonly MetricPoint[]): void {
  const insert = db.prepare<[string, string, number, number]>(
    `INSERT INTO metrics (run_id, name, step, value) VALUES (?, ?, ?, ?)
     ON CONFLICT (run_id, name, step) DO UPDATE SET value = excluded.value`,
  );
  for (const point of points) insert.run(runId, point.name, point.step, point.value);
}

export interface SeriesRange {
  readonly names?: readonly string[] | undefined;
  readonly fromStep?: number | undefined;
  readonly toStep?: number | undefined;
  /** At least 10. */
  readonly maxPoints: number;
}

/**
 * Curves for a screen: of more points than `maxPoints`, each of as many buckets of steps keeps its lowest and highest,
 * and the first and last points stay. Done in the database, which a million points leave as a few thousand.
 */
export function readThinned(db: Connection, runId: string, range: SeriesRange): Record<string, Series> {
  const bounds = { runId, fromStep: range.fromStep ?? null, toStep: range.toStep ?? null };
  const extents = db
    .prepare<[typeof bounds], { name: string; total: number; first: number; last: number }>(
      `SELECT name, COUNT(*) AS total, MIN(step) AS first, MAX(step) AS last FROM metrics WHERE run_id = @runId
       AND (@fromStep IS NULL OR step >= @fromStep) AND (@toStep IS NULL OR step <= @toStep) GROUP BY name`,
    )
    .all(bounds)
    .filter(({ name }) => range.names?.includes(name) ?? true);
  return Object.fromEntries(
    extents.map(({ name, total, first, last }): [string, Series] => {
      const span = { runId, name, first, last, buckets: Math.floor((range.maxPoints - 2) / 2) };
      return [name, { total, points: total <= range.maxPoints ? readAll(db, span) : readExtremes(db, span) }];
    }),
  );
}

interface Span {
  readonly runId: string;
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly buckets: number;
}

function readAll(db: Connection, span: Span): Series['points'] {
  return db
    .prepare<[Span], Series['points'][number]>(
      `SELECT step, value FROM metrics WHERE run_id = @runId AND name = @name AND step BETWEEN @first AND @last
       AND @buckets > 0 ORDER BY step`,
    )
    .all(span);
}

/**
 * One walk along the index for each bucket, which needs no sorting. SQLite takes the step from the row where MIN or MAX
 * found the value, one of them a query.
 */
function readExtremes(db: Connection, { runId, name, first, last, buckets }: Span): Series['points'] {
  type Point = { readonly step: number | null; readonly value: number | null };
  const within = 'FROM metrics WHERE run_id = ? AND name = ? AND step >= ? AND step < ?';
  const [lowest, highest] = ['MIN', 'MAX'].map((extreme) =>
    db.prepare<[string, string, number, number], Point>(`SELECT step, ${extreme}(value) AS value ${within}`),
  );
  const kept = new Map<number, number>();
  const keep = (from: number, to: number): void => {
    for (const query of [lowest, highest]) {
      const found = query?.get(runId, name, from, to);
      // An empty range gives one row without values.
      if (found && found.step !== null && found.value !== null) kept.set(found.step, found.value);
    }
  };
  keep(first, first + 1);
  for (let bucket = 0; bucket < buckets; bucket++) {
    const edge = (i: number): number => first + 1 + Math.floor(((last - first - 1) * i) / buckets);
    keep(edge(bucket), edge(bucket + 1));
  }
  keep(last, last + 1);
  return [...kept].map(([step, value]) => ({ step, value })).toSorted((a, b) => a.step - b.step);
}
