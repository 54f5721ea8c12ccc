import { z } from 'zod';
import type { MetricPoint } from '../contract/run.ts';
import type { KeyFigure, ReportBlock, ReportSection } from './document.ts';
import { formatNumber } from './format.ts';

/** The JSON artifact "evaluation": several networks ("arms") on one labelled test set. */
export const EvaluationData = z.object({
  testSet: z.string(),
  count: z.int(),
  classNames: z.array(z.string()),
  arms: z.array(
    z.object({
      name: z.string(),
      title: z.string(),
      /** Fractions. */
      accuracy: z.number(),
      /** Wilson, 95 %. */
      interval: z.tuple([z.number(), z.number()]),
      /** Same top-1 class as the teacher; null for the teacher itself or without one. */
      agreement: z.number().nullable(),
      /** Expected calibration error, 15 equal bins. */
      calibrationError: z.number(),
      /** By class; null for a class that the test set lacks. */
      recall: z.array(z.number().nullable()),
      /** Rows true, columns predicted. */
      confusion: z.array(z.array(z.int())),
    }),
  ),
});
export type EvaluationData = z.infer<typeof EvaluationData>;

export const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

/** One card an arm, the one called `focus` first. */
export const armFigures = (evaluation: EvaluationData | undefined, focus: string): KeyFigure[] =>
  (evaluation?.arms ?? [])
    .toSorted((a, b) => Number(b.name === focus) - Number(a.name === focus))
    .map((arm) => ({
      label: arm.title,
      value: arm.accuracy,
      unit: 'fraction',
      interval: arm.interval,
      note: `top-1, n = ${formatNumber(evaluation?.count ?? null)}`,
    }));

/** The losses of students by step, series of the name `loss.NAME`. */
export function distillationSection(all: Readonly<Record<string, readonly MetricPoint[]>>): ReportSection {
  const series = Object.entries(all)
    .filter(([name]) => name.startsWith('loss.'))
    .map(([name, points]) => ({
      name: name.slice('loss.'.length),
      points: points.map(({ step, value }) => [step, value] as const),
    }));
  if (series.length === 0) return { title: 'Training', blocks: [] };
  const y = { title: 'τ² KL(teacher ‖ student)', unit: 'nat', log: true };
  return {
    title: 'Training',
    blocks: [{ kind: 'line', title: 'Distillation loss', x: { title: 'Step' }, y, series }],
  };
}

/** Accuracy table, recall by class, and the confusion of the arm called `focus`. */
export function evaluationBlocks(evaluation: EvaluationData, focus: string): ReportBlock[] {
  const confusion = evaluation.arms.find((arm) => arm.name === focus);
  const hasTeacher = evaluation.arms.some((arm) => arm.agreement !== null);
  return [
    {
      kind: 'table',
      title: `Accuracy on ${evaluation.testSet}`,
      columns: [
        { title: 'Network' },
        { title: 'Top-1', unit: 'fraction' },
        { title: '95 % interval', align: 'right' },
        ...(hasTeacher ? [{ title: 'Agrees with teacher', unit: 'fraction' }] : []),
        { title: 'Calibration error', unit: 'fraction' },
      ],
      rows: evaluation.arms.map((arm) => [
        arm.title,
        arm.accuracy,
        `${percent(arm.interval[0])} – ${percent(arm.interval[1])}`,
        ...(hasTeacher ? [arm.agreement] : []),
        arm.calibrationError,
      ]),
      note: `n = ${formatNumber(evaluation.count)}; Wilson intervals; expected calibration error over 15 equal bins.`,
    },
    {
      kind: 'bar',
      title: 'Recall by class',
      y: { title: 'Recall', unit: 'fraction', max: 1 },
      categories: evaluation.classNames,
      series: evaluation.arms.map((arm) => ({ name: arm.title, values: arm.recall })),
    },
    ...(confusion
      ? [
          {
            kind: 'heat-map' as const,
            title: `Confusion: ${confusion.title}`,
            rows: evaluation.classNames,
            columns: evaluation.classNames,
            rowTitle: 'True class',
            columnTitle: 'Answer',
            values: confusion.confusion,
            scale: 'counts' as const,
            digits: 0,
          },
        ]
      : []),
  ];
}
