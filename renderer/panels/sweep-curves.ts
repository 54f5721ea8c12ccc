import type { RunRow } from '../../core/contract/history.ts';
import { variedIn, variedValue, type RunParts, type Varied } from './varied.ts';

export interface SweepCurve {
  readonly label: string;
  readonly points: readonly (readonly [number, number])[];
}

type Row = RunParts & Pick<RunRow, 'metrics'>;

/** What was varied over numbers: what a figure can be drawn over. The seed comes last. */
export function axesOf(rows: readonly Row[]): readonly Varied[] {
  const numeric = variedIn(rows).filter((each) => rows.every((row) => typeof variedValue(row, each) === 'number'));
  return numeric.toSorted((a, b) => Number(isSeed(a)) - Number(isSeed(b)));
}

/** Runs that differ in it alone are averaged. */
export const isSeed = ({ field }: Varied): boolean => field === 'params.seed';

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
 * A figure over what was varied: a line for each combination of whatever else was varied. Runs that differ in the seed
 * alone are averaged, which `seeds` says.
 */
export function sweepCurves(rows: readonly Row[], axis: Varied, metric: string): readonly SweepCurve[] {
  const others = variedIn(rows).filter((each) => each.field !== axis.field && !isSeed(each));
  const lines = new Map<string, Map<number, number[]>>();
  for (const row of rows) {
    const [x, y] = [variedValue(row, axis), row.metrics[metric]];
    if (typeof x !== 'number' || typeof y !== 'number') continue;
    const label = others.map((each) => `${each.name} ${textOf(variedValue(row, each))}`).join(', ');
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
