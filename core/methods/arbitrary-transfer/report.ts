import { z } from 'zod';
import type { ReportInput } from '../define.ts';
import type { KeyFigure, ReportBlock, ReportDocument, ReportSection } from '../../report/document.ts';
import { distillationSection, evaluationBlocks, EvaluationData, percent } from '../../report/evaluation.ts';

/** JSON artifacts of a run, written by run.ts and read here and by the window. */
export const SetData = z.object({
  /** Images, repeats counted. */
  count: z.int(),
  policy: z.enum(['none', 'cap', 'repeat', 'partial']),
  /** By the teacher's class. */
  histogram: z.array(z.int()),
  /** Different images. */
  distinct: z.array(z.int()),
  meanConfidence: z.number(),
  /** Nats; at temperature 1 and at the distillation's. */
  meanEntropy: z.number(),
  meanSoftEntropy: z.number(),
  confidenceByClass: z.array(z.number().nullable()),
});

export const RepeatData = z.object({
  seed: z.int(),
  /** Images looked at, of at most `limit`; `accepted` passed the confidence filter. */
  scanned: z.int(),
  limit: z.int(),
  accepted: z.int(),
  /** Of everything that was looked at. */
  histogram: z.array(z.int()),
  balanceScore: z.number(),
  imbalanceRatio: z.number(),
  meanConfidence: z.number(),
  meanEntropy: z.number(),
  meanSoftEntropy: z.number(),
  /** Different images in the balanced set over what was wanted, in all and by class. */
  fillRate: z.number(),
  fillRates: z.array(z.number()),
  balanced: SetData,
  unbalanced: SetData,
});

export const TransferSetsData = z.object({
  classNames: z.array(z.string()),
  wanted: z.int(),
  pool: z.object({
    title: z.string(),
    kind: z.enum(['data', 'synthetic']),
    size: z.int().nullable(),
    fingerprint: z.string().nullable(),
    relation: z.enum(['unrelated', 'related', 'overlapping']),
    isInverted: z.boolean(),
  }),
  filter: z.object({ kind: z.string(), share: z.number() }).nullable(),
  skew: z.number(),
  temperature: z.number(),
  repeats: z.array(RepeatData),
});
type TransferSetsData = z.infer<typeof TransferSetsData>;

export const BalanceData = z.object({
  pairs: z.array(z.object({ seed: z.int(), balanced: z.number(), unbalanced: z.number() })),
  /** Means of the accuracies, and of the differences. */
  balanced: z.number(),
  unbalanced: z.number(),
  gain: z.number(),
  /** 95 %, bootstrap over pairs; null for a single pair. */
  interval: z.tuple([z.number(), z.number()]).nullable(),
});
type BalanceData = z.infer<typeof BalanceData>;

const points = (value: number): string => `${value < 0 ? '−' : '+'}${Math.abs(100 * value).toFixed(1)}`;
const grouped = (value: number): string => String(value).replaceAll(/\B(?=(\d{3})+$)/g, ',');

/** What a run says to a third person. */
export function report(input: ReportInput): ReportDocument {
  const sets = TransferSetsData.safeParse(input.json('transfer-sets')).data;
  const balance = BalanceData.safeParse(input.json('balance')).data;
  const evaluation = EvaluationData.safeParse(input.json('evaluation')).data;
  return {
    title: 'A student distilled with arbitrary images',
    subtitle: sets
      ? `Transfer sets from ${sets.pool.title}, balanced over the teacher’s classes and ${otherName(sets)}`
      : 'Transfer sets balanced over the teacher’s classes and unbalanced',
    conclusion: conclusion(sets, balance, evaluation),
    keyFigures: keyFigures(input, balance, evaluation),
    sections: [
      comparison(sets, balance),
      transferSets(input, sets),
      { title: 'Students', blocks: evaluation ? evaluationBlocks(evaluation, 'balanced') : [] },
      training(input),
      limits(sets),
    ].filter((section) => section.blocks.length > 0),
  };
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
const otherName = (sets: TransferSetsData | undefined): string => (sets && sets.skew > 0 ? 'skewed' : 'unbalanced');

function conclusion(
  sets: TransferSetsData | undefined,
  balance: BalanceData | undefined,
  evaluation: EvaluationData | undefined,
): string {
  const [first] = sets?.repeats ?? [];
  if (!sets || !first) return 'No transfer set was drawn.';
  const drawn = `${grouped(first.balanced.count)} images of ${sets.pool.title}`;
  const fill = `The balanced set holds ${percent(first.fillRate)} of the different images that were asked for`;
  if (!balance || !evaluation) {
    return `${fill}, ${grouped(first.scanned)} images were looked at. No labelled test set was given, so the students were not scored on real images.`;
  }
  const real = evaluation.arms.find((arm) => arm.name === 'real');
  const interval = balance.interval
    ? `, 95 % interval ${points(balance.interval[0])} to ${points(balance.interval[1])} over ${balance.pairs.length} seeds`
    : '';
  const reference = real ? ` As many real images give ${percent(real.accuracy)}.` : '';
  const thin = first.fillRate < 1 ? ` ${fill}.` : '';
  return (
    `A student distilled with ${drawn}, balanced over the teacher’s classes, recognises ${percent(balance.balanced)} of ` +
    `${grouped(evaluation.count)} real test images; as many ${otherName(sets)} images give ${percent(balance.unbalanced)} ` +
    `(${points(balance.gain)} points${interval}).${reference}${thin}`
  );
}

function keyFigures(
  input: ReportInput,
  balance: BalanceData | undefined,
  evaluation: EvaluationData | undefined,
): KeyFigure[] {
  const single = (name: string, label: string, unit: string, note: string): KeyFigure[] => {
    const value = input.metrics[name];
    return typeof value === 'number' ? [{ label, value, unit, note }] : [];
  };
  const seeds = balance && balance.pairs.length > 1 ? `, mean of ${balance.pairs.length} seeds` : '';
  const note = `top-1, n = ${grouped(evaluation?.count ?? 0)}`;
  return [
    ...single('balancedAccuracy', 'Balanced', 'fraction', note + seeds),
    ...single('unbalancedAccuracy', 'Unbalanced', 'fraction', note + seeds),
    ...(balance
      ? [
          {
            label: 'Gain by balance',
            value: 100 * balance.gain,
            unit: 'points',
            note: balance.interval ? 'paired over seeds, bootstrap' : 'one pair; no interval',
            ...(balance.interval ? { interval: [100 * balance.interval[0], 100 * balance.interval[1]] as const } : {}),
          },
        ]
      : []),
    ...single('realAccuracy', 'Reference: real images', 'fraction', note),
    ...single('shuffledAccuracy', 'Reference: shuffled answers', 'fraction', note),
    ...single('teacherAccuracy', 'Teacher', 'fraction', note),
    ...single('fillRate', 'Fill rate', 'fraction', 'different images in the balanced set over those wanted'),
  ];
}

function comparison(sets: TransferSetsData | undefined, balance: BalanceData | undefined): ReportSection {
  if (!sets || !balance || balance.pairs.length < 2) return { title: 'Balanced against unbalanced', blocks: [] };
  return {
    title: 'Balanced against unbalanced',
    blocks: [
      {
        kind: 'table',
        title: 'Accuracy of the students of each pair',
        columns: [
          { title: 'Seed', align: 'right' },
          { title: 'Balanced', align: 'right' },
          { title: capital(otherName(sets)), align: 'right' },
          { title: 'Difference', unit: 'points', align: 'right' },
          { title: 'Images each', align: 'right' },
          { title: 'Fill rate', align: 'right' },
        ],
        rows: balance.pairs.map((pair, i) => [
          pair.seed,
          percent(pair.balanced),
          percent(pair.unbalanced),
          points(pair.balanced - pair.unbalanced),
          sets.repeats[i]?.balanced.count ?? null,
          percent(sets.repeats[i]?.fillRate ?? 0),
        ]),
        note: 'Both students of a pair start from the same weights and see their images in the same order and views.',
      },
    ],
  };
}

function transferSets(input: ReportInput, sets: TransferSetsData | undefined): ReportSection {
  const [first] = sets?.repeats ?? [];
  if (!sets || !first) return { title: 'Transfer sets', blocks: [] };
  const grid = input.image('transfer-grid');
  const warnings = thinClasses(sets, first);
  const blocks: ReportBlock[] = [
    ...(warnings ? [{ kind: 'notice', level: 'warning', text: warnings } as const] : []),
    {
      kind: 'bar',
      title: 'The teacher’s answers before and after balancing',
      y: { title: 'Share of the images', unit: 'fraction' },
      categories: sets.classNames,
      series: [
        { name: 'pool', values: shares(first.histogram) },
        ...(sets.skew > 0 ? [{ name: 'skewed set', values: shares(first.unbalanced.histogram) }] : []),
        { name: 'balanced set', values: shares(first.balanced.histogram) },
      ],
      note: `Most likely class at temperature 1. Balance of the pool ${first.balanceScore.toFixed(3)} (1 is even), most over least frequent class ${first.imbalanceRatio.toFixed(1)}.`,
    },
    setsTable(sets, first),
    classTable(sets, first),
  ];
  if (grid) {
    blocks.push({
      kind: 'image',
      title: 'Images of the balanced set by the teacher’s answer',
      source: grid,
      alt: 'Grid of transfer images, one row per class of the teacher',
      rowLabels: sets.classNames,
      pixelated: true,
      note: 'The first ones found for each class; black where there are none.',
    });
  }
  return { title: 'Transfer sets', blocks };
}

type Repeat = z.infer<typeof RepeatData>;

function thinClasses({ classNames }: TransferSetsData, { balanced }: Repeat): string | undefined {
  const named = (holds: (count: number) => boolean): string =>
    classNames.filter((_, k) => holds(balanced.distinct[k] ?? 0)).join(', ');
  const missing = named((count) => count === 0);
  const few = named((count) => count > 0 && count < 50);
  const sentences = [
    ...(missing === '' ? [] : [`The teacher sees no image of class ${missing}: the balanced set lacks it.`]),
    ...(few === '' ? [] : [`Fewer than 50 different images stand for class ${few}.`]),
  ];
  return sentences.length === 0 ? undefined : sentences.join(' ');
}

function shares(histogram: readonly number[]): number[] {
  const total = histogram.reduce((a, b) => a + b, 0);
  return histogram.map((count) => count / Math.max(1, total));
}

const policies = {
  none: 'no class was short',
  cap: 'every class cut to the shortest',
  repeat: 'images of short classes repeated',
  partial: 'short classes left short and weighted',
} as const;

function setsTable({ temperature, skew }: TransferSetsData, first: Repeat): ReportBlock {
  const { balanced, unbalanced } = first;
  const different = (set: z.infer<typeof SetData>): number => set.distinct.reduce((a, b) => a + b, 0);
  const row = (name: string, count: number, distinct: number, of: Omit<z.infer<typeof SetData>, 'policy'> | Repeat) => [
    name,
    grouped(count),
    grouped(distinct),
    percent(of.meanConfidence),
    of.meanEntropy.toFixed(3),
    of.meanSoftEntropy.toFixed(3),
  ];
  return {
    kind: 'table',
    title: 'Pool and transfer sets',
    columns: [
      { title: 'Images' },
      { title: 'Count', align: 'right' },
      { title: 'Different', align: 'right' },
      { title: 'Mean confidence', align: 'right' },
      { title: 'Entropy, τ = 1', unit: 'nat', align: 'right' },
      { title: `Entropy, τ = ${temperature}`, unit: 'nat', align: 'right' },
    ],
    rows: [
      row('Pool, as far as looked at', first.scanned, first.scanned, first),
      row('Balanced set', balanced.count, different(balanced), balanced),
      row(skew > 0 ? 'Skewed set' : 'Unbalanced set', unbalanced.count, different(unbalanced), unbalanced),
    ],
    note: `The scan was bounded at ${grouped(first.limit)} images. Balanced set: ${policies[balanced.policy]}. Confidence and entropy are the teacher’s.`,
  };
}

function classTable({ classNames }: TransferSetsData, { histogram, fillRates, balanced }: Repeat): ReportBlock {
  return {
    kind: 'table',
    title: 'Balanced set by class',
    columns: [
      { title: 'Class' },
      { title: 'In the pool', align: 'right' },
      { title: 'In the set', align: 'right' },
      { title: 'Different', align: 'right' },
      { title: 'Fill rate', align: 'right' },
      { title: 'Mean confidence', align: 'right' },
    ],
    rows: classNames.map((name, k) => [
      name,
      histogram[k] ?? 0,
      balanced.histogram[k] ?? 0,
      balanced.distinct[k] ?? 0,
      percent(fillRates[k] ?? 0),
      typeof balanced.confidenceByClass[k] === 'number' ? percent(balanced.confidenceByClass[k]) : '–',
    ]),
    note: 'Low confidence means that a class is filled from around the border to its neighbours.',
  };
}

/** Only the arms themselves: repeats of them look alike. */
function training({ series }: ReportInput): ReportSection {
  return distillationSection(Object.fromEntries(Object.entries(series).filter(([name]) => !/-\d+$/.test(name))));
}

function limits(sets: TransferSetsData | undefined): ReportSection {
  const pool = {
    unrelated: 'The pool was declared unrelated to the task.',
    related: 'The pool was declared related to the task, so this is not distillation with arbitrary data.',
    overlapping: 'The pool was declared to hold classes of the task: the figures say little about arbitrary data.',
  }[sets?.pool.relation ?? 'unrelated'];
  const filter = sets?.filter
    ? ' The thresholds of the confidence filter come from the pool itself, not from data of the task.'
    : '';
  return {
    title: 'What this does and does not show',
    blocks: [
      {
        kind: 'text',
        text:
          `${pool} The teacher is asked for answers only; test images and real images enter only the figures that name ` +
          `them, and no checkpoint is chosen by them.${filter} Balance holds for the images as they are: augmented views ` +
          'are answered anew. Batch-norm statistics of a student, where it has any, come from the transfer set.\n\n' +
          'The tables of the paper could not be read, so there is no published figure to compare with; compare the ' +
          'students of this run with each other and with its references. A single pair says little where the pool is ' +
          'noise: students of other seeds can differ by ten points and more.',
      },
    ],
  };
}
