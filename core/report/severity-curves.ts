import type { LineChartBlock, ReportBlock } from './document.ts';
import { formatNumber } from './format.ts';
import type { Estimate, SeverityData, SeverityRow } from './severity.ts';

interface Measure {
  readonly name: string;
  readonly title: string;
}

/** T4: does a larger budget make worse flips, or only more of them? For each model, the worst case first. */
export function epsilonCurves(data: SeverityData, measure: Measure): ReportBlock[] {
  const rows = data.rows.filter(({ epsilon, family }) => epsilon !== null && !['control', 'sweep'].includes(family));
  const models = Map.groupBy(rows, ({ model }) => model);
  return [...models].flatMap(([model, own]) => {
    const lines = [...Map.groupBy(own, ({ title, norm }) => `${title} ${norm}`).values()]
      .filter((line) => new Set(line.map(({ epsilon }) => epsilon)).size > 1)
      .toSorted((a, b) => isWorst(b) - isWorst(a));
    return pair(lines, {
      along: ({ epsilon }) => epsilon ?? 0,
      named: ({ title }) => title,
      x: 'Epsilon',
      where: models.size > 1 ? `: ${model}` : '',
      measure,
      note: 'The band is the 95 % interval of the first curve; those of the others are in the tables.',
    });
  });
}

const isWorst = (rows: readonly SeverityRow[]): number => Number(rows[0]?.family === 'worst-case');

/** T5: do more steps make worse flips? One curve for each epsilon. */
export function stepCurves(data: SeverityData, measure: Measure): ReportBlock[] {
  const rows = data.rows.filter(({ family, steps }) => family === 'sweep' && steps !== null);
  const lines = [...Map.groupBy(rows, ({ title, norm, epsilon }) => `${title} ${norm} ${epsilon}`).values()].filter(
    (line) => line.length > 1,
  );
  return pair(lines, {
    along: ({ steps }) => steps ?? 0,
    named: ({ title, norm, epsilon }) => `${title}, ${norm} ${formatNumber(epsilon)}`,
    x: 'Steps',
    where: '',
    measure,
    note: 'The same attack with the same size of step; only their number differs. The band is the 95 % interval of the first curve.',
  });
}

interface Curves {
  readonly along: (row: SeverityRow) => number;
  readonly named: (row: SeverityRow) => string;
  readonly x: string;
  readonly where: string;
  readonly measure: Measure;
  readonly note: string;
}

/** Fooling rate and severity beside each other. Bands of all curves would hide each other. */
function pair(lines: readonly (readonly SeverityRow[])[], curves: Curves): ReportBlock[] {
  if (lines.length === 0) return [];
  const { along, named, x, where, measure, note } = curves;
  const chart = (
    what: string,
    unit: string,
    pick: (row: SeverityRow) => Estimate | undefined,
  ): LineChartBlock & { size: 'half' } => ({
    kind: 'line',
    size: 'half',
    title: `${what} over ${x.toLowerCase()}${where}`,
    x: { title: x },
    y: { title: what, unit },
    series: lines.map((line, i) => {
      const sorted = line.toSorted((a, b) => along(a) - along(b));
      const points = sorted.flatMap((row) => {
        const value = pick(row)?.value;
        return typeof value === 'number' ? [[along(row), value] as const] : [];
      });
      const band = sorted.flatMap((row) => {
        const found = pick(row);
        return typeof found?.low === 'number' && typeof found.high === 'number'
          ? [[along(row), found.low, found.high] as const]
          : [];
      });
      const [first] = sorted;
      return { name: first ? named(first) : '', points, ...(i === 0 ? { band } : {}) };
    }),
    note,
  });
  return [
    chart('Fooling rate', 'fraction', (row) => row.metrics['foolingRate']),
    chart(`Severity (${measure.title})`, '1', (row) => row.corrected[measure.name]),
  ];
}
