import type { ReportBlock } from './document.ts';
import type { SeverityData, SeverityRow } from './severity.ts';
import { budgetText, intervalText } from './severity-text.ts';

/** So many fallen images make a picture of where answers go. */
const enough = 10;

/** The worst case of each model: at the smallest epsilon that fools some images, else where it fools most. */
function worstRows(data: SeverityData): SeverityRow[] {
  return [...Map.groupBy(data.rows, ({ model }) => model).values()].flatMap((rows) => {
    const worst = rows.filter(({ family }) => family === 'worst-case');
    const real = worst.length > 0 ? worst : rows.filter(({ family }) => !['control', 'sweep'].includes(family));
    const found = worst.find(({ fooled }) => fooled >= enough) ?? real.toSorted((a, b) => b.fooled - a.fooled)[0];
    return found && found.fooled > 0 ? [found] : [];
  });
}

/** T8 and the flip matrix, of the worst case of each model. */
export function classView(
  data: SeverityData,
  measure: { readonly name: string; readonly title: string },
): ReportBlock[] {
  const several = new Set(data.rows.map(({ model }) => model)).size > 1;
  return worstRows(data).flatMap((row): ReportBlock[] => {
    const named = `${row.title}, ${budgetText(row)}${several ? `, ${row.model}` : ''}`;
    const shares = row.flips.map((counts) => {
      const total = counts.reduce((a, b) => a + b, 0);
      return counts.map((count) => (total === 0 ? 0 : count / total));
    });
    const most = row.flips.map((counts, k) =>
      counts.reduce((best, count, j) => (j !== k && count > (counts[best] ?? -1) ? j : best), k === 0 ? 1 : 0),
    );
    return [
      {
        kind: 'heat-map',
        title: `Where answers go: ${named}`,
        rows: data.classNames,
        columns: data.classNames,
        rowTitle: 'Answer before',
        columnTitle: 'Answer after',
        values: shares,
        scale: 'counts',
        digits: 2,
        note: 'Each row sums to 1; the diagonal holds the images that stood.',
      },
      {
        kind: 'table',
        title: `Most harmful source classes: ${named}`,
        columns: [
          { title: 'Class before' },
          { title: 'Fooled', digits: 0 },
          { title: `Mean distance (${measure.title})`, digits: 3 },
          { title: 'Most often taken for', align: 'left' },
        ],
        rows: (row.byClass ?? [])
          .map((entry, k) => ({ ...entry, k }))
          .filter(({ fooled }) => fooled > 0)
          .toSorted((a, b) => (b.severity ?? 0) - (a.severity ?? 0))
          .map(({ fooled, severity, k }) => [
            data.classNames[k] ?? String(k),
            fooled,
            severity,
            data.classNames[most[k] ?? 0] ?? '',
          ]),
      },
    ];
  });
}

/** Names of the metrics of core/metrics/severity for people; the order is that of the table. */
const figures: readonly (readonly [name: string, title: string, kind: 'share' | 'number'])[] = [
  ['foolingRate', 'Fooling rate: the answer changed, wrong answers included', 'share'],
  ['attackSuccess', 'Attack success: wrong now, of those right before', 'share'],
  ['robustError', 'Robust error: wrong now, of all', 'share'],
  ['repaired', 'Repaired: right now, of those whose answer changed', 'share'],
  ['oldLabelNewRank', 'OLNR: places the old label fell, mean over all', 'number'],
  ['oldLabelNewRankFooled', 'the same over fooled images', 'number'],
  ['oldLabelNewRankNormalised', 'the same, divided by K − 1', 'number'],
  ['newLabelOldRank', 'NLOR: places the new label rose, mean over all', 'number'],
  ['newLabelOldRankFooled', 'the same over fooled images', 'number'],
  ['newLabelOldRankNormalised', 'the same, divided by K − 1', 'number'],
  ['reciprocalRankDrop', 'Drop in reciprocal rank of the old label', 'number'],
  ['leftTop3', 'FR@3: the old label left the first three', 'share'],
  ['leftTop5', 'FR@5: the old label left the first five', 'share'],
  ['cameFromBeyond1', 'NL@1: the new label was not the first', 'share'],
  ['cameFromBeyond3', 'NL@3: the new label was not among the first three', 'share'],
  ['cameFromBeyond5', 'NL@5: the new label was not among the first five', 'share'],
  ['confidenceDrop', 'Confidence in the old label lost, mean over all', 'share'],
  ['newConfidence', 'Confidence in the new label, fooled images', 'share'],
  ['oldConfidence', 'Confidence left in the old label, fooled images', 'share'],
  ['confidenceGap', 'Gap from the new label to the second best, fooled images', 'share'],
  ['divergence', 'Jensen–Shannon divergence of the answers (nats)', 'number'],
  ['entropyChange', 'Change of entropy (nats)', 'number'],
];

const shown = (value: number | null | undefined, kind: 'share' | 'number'): string =>
  typeof value !== 'number' ? '–' : kind === 'share' ? `${(100 * value).toFixed(1)} %` : value.toFixed(2);

/** Every figure of the worst cases, each with its interval; those of single attacks are in the CSV file. */
export function worstFigures(data: SeverityData): ReportBlock[] {
  const rows = data.rows.filter(({ family, fooled }) => family === 'worst-case' && fooled > 0);
  if (rows.length === 0) return [];
  const several = new Set(rows.map(({ model }) => model)).size > 1;
  return [
    {
      kind: 'table',
      title: 'Every figure of the worst case',
      columns: [
        { title: 'Figure' },
        ...rows.map((row) => ({
          title: `${budgetText(row)}${several ? `, ${row.model}` : ''}`,
          align: 'right' as const,
        })),
      ],
      rows: [
        ...figures
          .filter(([name]) => rows.some(({ metrics }) => metrics[name]))
          .map(([name, title, kind]) => [
            title,
            ...rows.map(({ metrics }) => {
              const found = metrics[name];
              const range = intervalText(found, kind === 'share' ? 100 : 1, kind === 'share' ? 1 : 2);
              return `${shown(found?.value, kind)}${range === '' ? '' : ` (${range})`}`;
            }),
          ]),
        ['Labels that hold 95 % of the fooled images', ...rows.map(({ concentration: c }) => String(c.labelsFor95))],
        [
          'Evenness of the new labels: 0 one label, 1 all alike',
          ...rows.map(({ concentration: c }) => shown(c.spread, 'number')),
        ],
      ],
      note: 'In brackets 95 % intervals from 1,000 resamples of the images. Ranks are zero-based and counted on logits. The file “severity.csv” has the same for every attack, “flips.csv” what became of each image.',
    },
  ];
}
