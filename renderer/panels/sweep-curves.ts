import type { RunRow } from '../../core/contract/history.ts';
import { variedIn } from './varied.ts';

export interface SweepCurve {
  readonly label: string;
  readonly points: readonly (readonly [number, number])[];
}

type Row = Pick<RunRow, 'params' | 'models' | 'metrics'>;

/** Parameters that were varied over numbers: what a figure can be drawn over. The seed comes last. */
export function axesOf(rows: readonly Row[]): readonly string[] {
  const numeric = variedIn(rows)
    .filter(({ kind }) => kind === 'param')
    .map(({ name }) => name)
    .filter((name) => rows.every(({ params }) => typeof params[name] === 'number'));
  return numeric.toSorted((a, b) => Number(a === 'seed') - Number(b === 'seed'));
}

/** Figures that at least two of the runs have. */
export function metricsOf(rows: readonly Row[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const { metrics } of rows) {
    for (const [name, value] of Object.entries(metrics)) {
      if (value !== null) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return [...counts].filter(([, count]) => count >= 2).map(([name]) => name);
}

/**
 * A figure over one parameter: a line for each combination of whatever else was varied. Runs that differ in the seed
 * alone are averaged, which `seeds` says.
 */
export function sweepCurves(rows: readonly Row[], axis: string, metric: string): readonly SweepCurve[] {
  const others = variedIn(rows).filter(({ name }) => name !== axis && name !== 'seed');
  const lines = new Map<string, Map<number, number[]>>();
  for (const { params, models, metrics } of rows) {
    const [x, y] = [params[axis], metrics[metric]];
    if (typeof x !== 'number' || typeof y !== 'number') continue;
    const label = others
      .map(({ name, kind }) => `${name} ${kind === 'model' ? (models[name] ?? '–') : textOf(params[name])}`)
      .join(', ');
    const line = lines.get(label) ?? new Map<number, number[]>();
    line.set(x, [...(line.get(x) ?? []), y]);
    lines.set(label, line);
  }
  return [...lines].map(([label, line]) => ({
    label: label === '' ? metric : label,
    points: [...line]
      .map(([x, values]) => [x, values.reduce((sum, value) => sum + value, 0) / values.length] as const)
      .toSorted((a, b) => a[0] - b[0]),
  }));
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? '–'));
