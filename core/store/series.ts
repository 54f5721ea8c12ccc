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
