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

/** SQLite takes the other columns of a row from where MIN or MAX found it, one of them a query. */
function readExtremes(db: Connection, span: Span): Series['points'] {
  const inner = `FROM metrics WHERE run_id = @runId AND name = @name AND step > @first AND step < @last
    GROUP BY CAST((step - @first) * @buckets / (@last - @first + 1) AS INTEGER)`;
  const end = `SELECT step, value FROM metrics WHERE run_id = @runId AND name = @name AND step IN (@first, @last)`;
  return db
    .prepare<[Span], Series['points'][number]>(
      `SELECT step, MIN(value) AS value ${inner} UNION SELECT step, MAX(value) AS value ${inner} UNION ${end}
       ORDER BY step`,
    )
    .all(span);
}
