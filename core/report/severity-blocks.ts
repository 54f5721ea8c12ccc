import type { ReportBlock, TableBlock } from './document.ts';
import { formatNumber } from './format.ts';
import type { SeverityData, SeverityRow } from './severity.ts';
import { classView, worstFigures } from './severity-classes.ts';
import { epsilonCurves, stepCurves } from './severity-curves.ts';
import { budgetText, intervalText } from './severity-text.ts';

/** Tables T1 to T8 of the specification; those for which the run has nothing to say are left out. */
export function severityBlocks(whole: SeverityData): ReportBlock[] {
  const [leading] = whole.measures;
  // A sweep is compared with itself, not with other attacks.
  const data = { ...whole, rows: whole.rows.filter(({ family }) => family !== 'sweep') };
  const notice: ReportBlock[] =
    data.noSemantics === null ? [] : [{ kind: 'notice', level: 'info', text: data.noSemantics }];
  if (leading === undefined) return [...notice, overview(data)];
  return [
    ...notice,
    overview(data),
    corrected(data),
    ...orders(data, leading.name),
    ...models(data, leading.name),
    ...agreements(data, leading),
    ...epsilonCurves(data, leading),
    ...stepCurves(whole, leading),
    ...families(data, 'Universal and image-specific perturbations', ['universal', 'white-box'], leading),
    ...families(data, 'Transferred and white-box flips', ['transfer', 'white-box'], leading),
    ...classView(data, leading),
    ...worstFigures(data),
    ...costs(data),
  ];
}

/** T1: flips, ranks and confidence of each attack on each model. */
function overview(data: SeverityData): TableBlock {
  const several = new Set(data.rows.map(({ model }) => model)).size > 1;
  return {
    kind: 'table',
    title: 'Flips, ranks and confidence',
    columns: [
      { title: 'Attack' },
      ...(several ? [{ title: 'Model' }] : []),
      { title: 'Budget' },
      { title: 'Fooled', unit: 'fraction' },
      { title: 'Right → wrong', unit: 'fraction' },
      { title: 'OLNR', digits: 2 },
      { title: 'NLOR', digits: 2 },
      { title: 'NLOR, fooled', digits: 2 },
      { title: 'New confidence', unit: 'fraction' },
      { title: 'Old confidence', unit: 'fraction' },
      { title: 'Most frequent new label', align: 'left' },
    ],
    rows: data.rows.map((row) => {
      const value = (name: string): number | null => row.metrics[name]?.value ?? null;
      const { dominant, dominantShare } = row.concentration;
      return [
        row.title,
        ...(several ? [row.model] : []),
        budgetText(row).replace(' ', '\u00a0'),
        value('foolingRate'),
        value('attackSuccess'),
        value('oldLabelNewRank'),
        value('newLabelOldRank'),
        value('newLabelOldRankFooled'),
        value('newConfidence'),
        value('oldConfidence'),
        dominant === null || dominantShare === null
          ? ''
          : `${data.classNames[dominant] ?? dominant} (${Math.round(100 * dominantShare)} %)`,
      ];
    }),
    note:
      `n = ${formatNumber(data.rows[0]?.count ?? 0)}. Fooled: the answer changed, wrong answers included. Right → wrong: of the images ` +
      'answered rightly before. OLNR: rank of the old label afterwards, NLOR: rank of the new label before; zero-based means over ' +
      'all images, as FDA takes them. Confidence is over fooled images. In the spirit of Mopuri et al. 2020, whose formulas are not these.',
  };
}

/** The leading figure: severity against chance, and total harm. */
function corrected(data: SeverityData): TableBlock {
  const several = new Set(data.rows.map(({ model }) => model)).size > 1;
  const named = (model: string): string[] => (several ? [model] : []);
  return {
    kind: 'table',
    title: 'Severity of the flips, corrected for chance',
    columns: [
      { title: 'Attack' },
      ...named('').map(() => ({ title: 'Model' })),
      { title: 'Budget' },
      ...data.measures.flatMap(({ title }, i) => [
        { title, digits: 2 },
        ...(i === 0
          ? [
              { title: '95 % interval', align: 'right' as const },
              { title: 'Harm', digits: 2 },
            ]
          : []),
      ]),
      { title: 'Fooled by all', digits: 2 },
      { title: 'n', digits: 0 },
    ],
    rows: [
      ...data.rows.map((row) => [
        row.title,
        ...named(row.model),
        budgetText(row).replace(' ', '\u00a0'),
        ...data.measures.flatMap(({ name }, i) => [
          row.corrected[name]?.value ?? null,
          ...(i === 0 ? [intervalText(row.corrected[name]), row.harm[name]?.value ?? null] : []),
        ]),
        row.shared?.corrected[data.measures[0]?.name ?? '']?.value ?? null,
        row.shared?.count ?? null,
      ]),
      ...(data.clean === null ? [] : [cleanRow(data, data.clean, named(data.rows[0]?.model ?? ''))]),
    ],
    note:
      '1 is as harmful as a random wrong label, below 1 flips go to neighbours, above 1 they are worse than random. Harm is the ' +
      'fooling rate times it. “Fooled by all” is the first measure over the images that every attack of this budget fools, so that a ' +
      'strong attack is not judged by harder images; n is their number. Intervals: 1,000 bootstrap resamples, the same for all attacks.',
  };
}

function cleanRow(
  data: SeverityData,
  clean: NonNullable<SeverityData['clean']>,
  model: readonly string[],
): (string | number | null)[] {
  return [
    `Reference: mistakes on clean images (${formatNumber(clean.count)})`,
    ...model,
    'none',
    ...data.measures.flatMap(({ name }, i) => [
      clean.corrected[name]?.value ?? null,
      ...(i === 0 ? [intervalText(clean.corrected[name]), null] : []),
    ]),
    null,
    null,
  ];
}

/** T2: does the fooling rate put the attacks in the order of their harm? */
function orders(data: SeverityData, measure: string): ReportBlock[] {
  const compared = data.rows.filter(
    ({ family, fooled }) => !['control', 'worst-case', 'targeted'].includes(family) && fooled > 0,
  );
  const tables = [...Map.groupBy(compared, (row) => `${row.model}, ${budgetText(row)}`)].flatMap(([title, rows]) => {
    if (rows.length < 3) return [];
    const severity = (row: SeverityRow): number => row.corrected[measure]?.value ?? Number.NEGATIVE_INFINITY;
    const byRate = rows.toSorted((a, b) => rate(b) - rate(a));
    const bySeverity = rows.toSorted((a, b) => severity(b) - severity(a));
    return byRate.map((row, at) => {
      const other = bySeverity.indexOf(row);
      return [title, row.title, at + 1, other + 1, other - at];
    });
  });
  if (tables.length === 0) return [];
  const clear = data.differences.filter(({ isClear }) => isClear).length;
  return [
    {
      kind: 'table',
      title: 'Order of the attacks by fooling rate and by severity',
      columns: [
        { title: 'Model and budget' },
        { title: 'Attack' },
        { title: 'By fooling rate', digits: 0 },
        { title: 'By severity', digits: 0 },
        { title: 'Change', digits: 0 },
      ],
      rows: tables,
      note: `${clear} of ${data.differences.length} paired differences of severity have an interval that leaves out 0.`,
    },
  ];
}

const rate = (row: SeverityRow): number => row.metrics['foolingRate']?.value ?? 0;

/** T3: models under the same attack. */
function models(data: SeverityData, measure: string): ReportBlock[] {
  const groups = [...Map.groupBy(data.rows, (row) => `${row.title}, ${budgetText(row)}`)].filter(
    ([, rows]) => new Set(rows.map(({ model }) => model)).size > 1,
  );
  if (groups.length === 0) return [];
  return [
    {
      kind: 'table',
      title: 'Models under the same attack',
      columns: [
        { title: 'Attack' },
        { title: 'Model' },
        { title: 'Fooled', unit: 'fraction' },
        { title: 'Severity', digits: 2 },
        { title: '95 % interval', align: 'right' },
        { title: 'By fooling rate', digits: 0 },
        { title: 'By severity', digits: 0 },
      ],
      rows: groups.flatMap(([title, rows]) => {
        const severity = (row: SeverityRow): number => row.corrected[measure]?.value ?? Number.NEGATIVE_INFINITY;
        const bySeverity = rows.toSorted((a, b) => severity(b) - severity(a));
        return rows
          .toSorted((a, b) => rate(b) - rate(a))
          .map((row, at) => [
            title,
            row.model,
            row.metrics['foolingRate']?.value ?? null,
            row.corrected[measure]?.value ?? null,
            intervalText(row.corrected[measure]),
            at + 1,
            bySeverity.indexOf(row) + 1,
          ]);
      }),
    },
  ];
}

/** Kendall's tau-b: over the attacks on a model, and over the models under an attack. */
function agreements(data: SeverityData, measure: { readonly name: string; readonly title: string }): ReportBlock[] {
  const found = data.agreement.filter((entry) => entry.measure === measure.name);
  if (found.length === 0) return [];
  return [
    {
      kind: 'table',
      title: 'Does the fooling rate rank as severity does?',
      columns: [{ title: 'Within' }, { title: 'Compared', digits: 0 }, { title: 'Kendall’s tau-b', digits: 2 }],
      rows: found.map(({ within, count, tau }) => [within, count, tau]),
      note: `Of ${measure.title}. Within a model attacks are ranked, within an attack models, three or more of them: 1 is the same order, 0 none, −1 the reverse. The fewer are compared, the less it says.`,
    },
  ];
}

/** T6 and T7: two families at equal budgets. */
function families(
  data: SeverityData,
  title: string,
  pair: readonly [SeverityRow['family'], SeverityRow['family']],
  measure: { readonly name: string; readonly title: string },
): ReportBlock[] {
  const groups = [
    ...Map.groupBy(
      data.rows.filter(({ family }) => pair.includes(family)),
      (row) => `${row.model}, ${budgetText(row)}`,
    ),
  ].filter(([, rows]) => new Set(rows.map(({ family }) => family)).size > 1);
  if (groups.length === 0) return [];
  return [
    {
      kind: 'table',
      title,
      columns: [
        { title: 'Model and budget' },
        { title: 'Kind' },
        { title: 'Attack' },
        { title: 'Fooled', unit: 'fraction' },
        { title: measure.title, digits: 2 },
        { title: '95 % interval', align: 'right' },
        { title: 'Largest share of one label', unit: 'fraction' },
      ],
      rows: groups.flatMap(([name, rows]) =>
        rows
          .toSorted((a, b) => pair.indexOf(a.family) - pair.indexOf(b.family))
          .map((row) => [
            name,
            row.family.replace('-', '\u2011'),
            row.title,
            row.metrics['foolingRate']?.value ?? null,
            row.corrected[measure.name]?.value ?? null,
            intervalText(row.corrected[measure.name]),
            row.concentration.dominantShare,
          ]),
      ),
    },
  ];
}

function costs(data: SeverityData): ReportBlock[] {
  const rows = data.rows.flatMap((row) => (row.cost === null ? [] : [{ ...row, cost: row.cost }]));
  if (rows.length === 0) return [];
  return [
    {
      kind: 'table',
      title: 'What the flips cost',
      columns: [
        { title: 'Attack' },
        { title: 'Model' },
        { title: 'Budget' },
        { title: 'Mean', digits: 2 },
        { title: '95th percentile', digits: 2 },
        { title: 'Mean of the worst 5 %', digits: 2 },
        { title: 'Never events', unit: 'fraction' },
      ],
      rows: rows.map((row) => [
        row.title,
        row.model,
        budgetText(row).replace(' ', '\u00a0'),
        row.cost.mean,
        row.cost.p95,
        row.cost.cvar95,
        row.cost.neverEvents,
      ]),
      note: 'In the units of the cost matrix, over fooled images; never events are a share of all images.',
    },
  ];
}
