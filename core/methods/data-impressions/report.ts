import { z } from 'zod';
import type { ReportInput } from '../define.ts';
import type { KeyFigure, ReportBlock, ReportDocument, ReportSection } from '../../report/document.ts';
import { formatNumber } from '../../report/format.ts';
import { armFigures, distillationSection, evaluationBlocks, EvaluationData, percent } from '../../report/evaluation.ts';

/** JSON artifacts of a run, written by run.ts and read here and by the window. */
export const ClassSimilarityData = z.object({
  classNames: z.array(z.string()),
  cosine: z.array(z.array(z.number())),
  normalised: z.array(z.array(z.number())),
});

export const AttainmentData = z.object({
  count: z.int(),
  classNames: z.array(z.string()),
  /** Impressions whose most likely class is k, by the teacher at temperature 1. */
  classHistogram: z.array(z.int()),
  excessLoss: z.object({ mean: z.number(), p90: z.number() }),
  targetEntropy: z.number(),
  attained: z.number(),
  meanLogitGap: z.number(),
  pixelRange: z.tuple([z.number(), z.number()]),
  scales: z.array(z.object({ scale: z.number(), count: z.int(), attained: z.number(), excessLoss: z.number() })),
});

export const SynthesisCurveData = z.object({ losses: z.array(z.number()) });

/** Classes shown in the picture grid: the first so many. */
export const gridRows = 40;

/** What a run says to a third person. */
export function report(input: ReportInput): ReportDocument {
  const evaluation = EvaluationData.safeParse(input.json('evaluation')).data;
  const attainment = AttainmentData.safeParse(input.json('attainment')).data;
  return {
    title: 'A student distilled without data',
    subtitle: 'Data impressions read out of the teacher’s weights, and what a student learns from them',
    conclusion: conclusion(input, evaluation, attainment?.count),
    keyFigures: keyFigures(input, evaluation),
    sections: [
      impressions(input, attainment),
      students(evaluation),
      distillationSection(input.series),
      limits(),
    ].filter((section) => section.blocks.length > 0),
  };
}

function conclusion(input: ReportInput, evaluation: EvaluationData | undefined, count: number | undefined): string {
  const student = evaluation?.arms.find((arm) => arm.name === 'student');
  if (count === undefined) return 'The run ended before its surrogate images were finished.';
  const made = `${formatNumber(count)} surrogate images were read out of the teacher’s weights`;
  if (!evaluation || !student) {
    return `${made}. The student was not scored on real images: there was no labelled test set, or the run ended before.`;
  }
  const others = evaluation.arms
    .filter((arm) => arm.name !== 'student')
    .map((arm) => `${arm.title.toLowerCase()} ${percent(arm.accuracy)}`)
    .join(', ');
  const efficiency = input.metrics['cloneEfficiency'];
  const share =
    typeof efficiency === 'number'
      ? ` This is ${percent(efficiency)} of what as many real images give above chance.`
      : '';
  return `${made}; a student trained on them alone recognises ${percent(student.accuracy)} of ${formatNumber(evaluation.count)} real test images (${others}).${share}`;
}

function keyFigures(input: ReportInput, evaluation: EvaluationData | undefined): KeyFigure[] {
  const single = (name: string, label: string, unit: string, note: string): KeyFigure[] => {
    const value = input.metrics[name];
    return typeof value === 'number' ? [{ label, value, unit, note }] : [];
  };
  return [
    ...armFigures(evaluation, 'student'),
    ...single('agreement', 'Agreement with the teacher', 'fraction', 'same answer on the test images'),
    ...single('heldOutAgreement', 'Held-out agreement', 'fraction', 'with the teacher, on impressions not trained on'),
    ...single('cloneEfficiency', 'Clone efficiency', 'fraction', '(student − chance) / (real-image student − chance)'),
  ];
}

function impressions(input: ReportInput, attainment: z.infer<typeof AttainmentData> | undefined): ReportSection {
  const similarity = ClassSimilarityData.safeParse(input.json('class-similarity')).data;
  const curve = SynthesisCurveData.safeParse(input.json('synthesis-curve')).data;
  const grid = input.image('impressions-grid');
  const blocks: ReportBlock[] = [];
  if (grid) {
    blocks.push({
      kind: 'image',
      title: 'Impressions by class',
      source: grid,
      alt: 'Grid of data impressions, one row per class',
      ...(attainment ? { rowLabels: attainment.classNames.slice(0, gridRows) } : {}),
      pixelated: true,
      note: 'The first impressions drawn for each class. They need not look like the class to a person: they are what the teacher answers to.',
    });
  }
  if (similarity) {
    blocks.push({
      kind: 'heat-map',
      title: 'Class similarity in the teacher’s last layer',
      rows: similarity.classNames,
      columns: similarity.classNames,
      rowTitle: 'Class',
      columnTitle: 'Resembles',
      values: similarity.normalised,
      scale: 'sequential',
      digits: 2,
      note: 'Cosine of the class templates, each row mapped to 0–1; times β it is the Dirichlet concentration of the row’s targets.',
    });
  }
  if (curve) {
    blocks.push({
      kind: 'line',
      title: 'Synthesis loss',
      x: { title: 'Step' },
      y: { title: 'Cross-entropy', unit: 'nat' },
      series: [{ name: 'mean over impressions', points: curve.losses.map((loss, step) => [step, loss] as const) }],
      ...(attainment
        ? { note: `The floor is the targets’ own entropy, ${attainment.targetEntropy.toFixed(3)} nat.` }
        : {}),
    });
  }
  if (attainment) {
    blocks.push(
      {
        kind: 'table',
        title: 'How well the targets were reached',
        columns: [
          { title: 'Dirichlet scale β', align: 'right' },
          { title: 'Impressions' },
          { title: 'Target class on top', unit: 'fraction' },
          { title: 'Excess loss', unit: 'nat', digits: 3 },
        ],
        rows: [
          ...attainment.scales.map((row) => [row.scale, row.count, row.attained, row.excessLoss]),
          ['all', attainment.count, attainment.attained, attainment.excessLoss.mean],
        ],
        note: `90 % of the impressions have an excess loss below ${attainment.excessLoss.p90.toFixed(3)} nat; the largest logit leads by ${attainment.meanLogitGap.toFixed(1)} in the mean; pixels lie in [${attainment.pixelRange.map((value) => value.toFixed(2)).join(', ')}].`,
      },
      {
        kind: 'bar',
        title: 'Most likely class of the impressions',
        y: { title: 'Impressions', unit: 'images' },
        categories: attainment.classNames,
        series: [{ name: 'teacher’s answer', values: attainment.classHistogram }],
      },
    );
  }
  return { title: 'Impressions', blocks };
}

function students(evaluation: EvaluationData | undefined): ReportSection {
  return { title: 'Students', blocks: evaluation ? evaluationBlocks(evaluation, 'student') : [] };
}

function limits(): ReportSection {
  return {
    title: 'What this does and does not show',
    blocks: [
      {
        kind: 'text',
        text:
          'Impressions and student come from the teacher’s weights and the seed alone; test images and real images enter ' +
          'only the figures that name them. The papers’ exact settings for MNIST and Fashion-MNIST are only partly known, so ' +
          'figures are compared with the controls of the same run, not with the published 98.77 % and 79.62 %. The prior ' +
          'terms and the random views are not in the paper; the recipe "paper" leaves them out.',
      },
    ],
  };
}
