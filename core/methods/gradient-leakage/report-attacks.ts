import type { ReportInput } from '../define.ts';
import type { ReportBlock } from '../../report/document.ts';
import { filmGap, type AttacksData, type DefenceFigures } from './report-data.ts';

/** Curves shown of single runs. */
const mostCurves = 7;

/** Films, success curve, loss and error along the way, and every run in a table. */
export function attackBlocks(
  input: ReportInput,
  attacks: AttacksData,
  figures: readonly DefenceFigures[],
): readonly ReportBlock[] {
  return [
    ...figures.flatMap((own, index) => film(input, attacks, own, index)),
    ...successCurve(figures),
    ...wayOf(input, attacks, 'distance', 'Distance of the gradients', 'Distance'),
    ...wayOf(input, attacks, 'mse', 'Error of the image', 'MSE'),
    ...psnrWay(input, attacks),
    endings(attacks),
    runs(attacks, codesOf(input)),
  ];
}

function film(
  input: ReportInput,
  { history, units }: AttacksData,
  { title }: DefenceFigures,
  index: number,
): ReportBlock[] {
  const source = input.image(`pictures-${index}.png`);
  if (!source) return [];
  const hasTruth = units.some(({ trueLabels }) => trueLabels !== null);
  const between = Array.from(
    { length: Math.max(0, history - 2) },
    (_, i) => `${Math.round((100 * (i + 1)) / (history - 1))} %`,
  );
  return [
    {
      kind: 'image',
      title: index === 0 ? 'True images and their recovery' : `The same under ${title}`,
      source,
      alt: 'True and recovered images',
      rowLabels: [hasTruth ? 'true' : 'not known', 'start', ...between, 'kept'],
      pixelated: true,
      film: { gap: filmGap },
      note: 'Choose a moment of the attack, in shares of its steps; one that ended early stays at its last picture. Clipped to [0, 1]. Of each run the attack that came closer.',
    },
  ];
}

function successCurve(figures: readonly DefenceFigures[]): ReportBlock[] {
  const shown = figures.filter(({ curve }) => curve.length > 0);
  if (shown.length === 0) return [];
  const categories = shown[0]?.curve.map(({ threshold }) => `MSE ≤ ${threshold}`) ?? [];
  return [
    {
      kind: 'bar',
      title: 'Share of images recovered, by how close',
      y: { title: 'Images', unit: 'fraction', max: 1 },
      categories,
      series: shown.map(({ title, curve }) => ({
        name: title === 'none' ? 'no defence' : title,
        values: curve.map(({ share }) => share),
        intervals: curve.map(({ interval }) => interval),
      })),
      note: 'Wilson intervals, 95 %. Attacks that failed count as not recovered.',
    },
  ];
}

const pointsOf = (input: ReportInput, name: string): (readonly [number, number])[] =>
  (input.series[name] ?? []).filter(({ value }) => value > 0).map(({ step, value }) => [step, value] as const);

function plainRuns(attacks: AttacksData): readonly AttacksData['units'][number][] {
  return attacks.units.filter(({ defence }) => defence === 0).slice(0, mostCurves);
}

function wayOf(input: ReportInput, attacks: AttacksData, name: string, title: string, axis: string): ReportBlock[] {
  const series = plainRuns(attacks)
    .map(({ id, run }) => ({ name: `run ${run}`, points: pointsOf(input, `${name}.${id}`) }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return [];
  return [{ kind: 'line', title, size: 'half', x: { title: 'Step' }, y: { title: axis, log: true }, series }];
}

function psnrWay(input: ReportInput, attacks: AttacksData): ReportBlock[] {
  const series = plainRuns(attacks)
    .map(({ id, run }) => ({
      name: `run ${run}`,
      points: pointsOf(input, `mse.${id}`).map(([step, mse]) => [step, -10 * Math.log10(mse)] as const),
    }))
    .filter(({ points }) => points.length > 0);
  if (series.length === 0) return [];
  return [
    {
      kind: 'line',
      title: 'PSNR along the way',
      x: { title: 'Step' },
      y: { title: 'PSNR', unit: 'dB' },
      series,
      note: 'Of the clipped images of the batch together, no defence.',
    },
  ];
}

const endTitles = [
  ['converged', 'Converged'],
  ['finished', 'All steps made'],
  ['stalled', 'Stalled'],
  ['diverged', 'Diverged'],
] as const;

/** Restarts by how they ended, and attacks that handed nothing over. */
function endings({ units, figures }: AttacksData): ReportBlock {
  const groups = figures.flatMap(({ title }, index) =>
    (['plain', 'adapted'] as const).flatMap((variant) => {
      const own = units.filter((unit) => unit.defence === index && unit.variant === variant);
      return own.length === 0 ? [] : [{ title, variant, own }];
    }),
  );
  return {
    kind: 'table',
    title: 'How the attacks ended',
    columns: [
      { title: 'Defence' },
      { title: 'Attacker' },
      { title: 'Attacks' },
      ...endTitles.map(([, title]) => ({ title })),
      { title: 'Nothing to hand over' },
      { title: 'Median distance' },
      { title: 'Evaluations, mean' },
    ],
    rows: groups.map(({ title, variant, own }) => {
      const ends = own.flatMap((unit) => unit.ends);
      const distances = own.flatMap(({ distance }) => distance ?? []).toSorted((a, b) => a - b);
      return [
        title,
        variant,
        own.length,
        ...endTitles.map(([end]) => ends.filter((each) => each === end).length),
        own.filter(({ failure }) => failure !== null).length,
        distances[Math.floor((distances.length - 1) / 2)] ?? null,
        own.reduce((sum, { evaluations }) => sum + evaluations, 0) / own.length,
      ];
    }),
    note: 'Restarts: converged below the threshold; all steps made without that; stalled, no step left to make; diverged to what is no number, where the best iterate before is kept. Attacks that hand nothing over (gradient vanished, no finite iterate) count as not recovered.',
  };
}

/** Defences as they are asked for; short enough for a wide table. */
function codesOf({ params }: ReportInput): readonly string[] {
  const { defences } = params;
  return ['none', ...(Array.isArray(defences) ? defences.map(String) : [])];
}

function runs({ units }: AttacksData, codes: readonly string[]): ReportBlock {
  return {
    kind: 'table',
    title: 'Every attack',
    columns: [
      { title: 'Run' },
      { title: 'Defence' },
      { title: 'Attacker' },
      { title: 'Labels by' },
      { title: 'Overlap', unit: 'fraction', digits: 0 },
      { title: 'Norm' },
      { title: 'Distance' },
      { title: 'MSE' },
      { title: 'MSE, not clipped' },
      { title: 'PSNR', unit: 'dB', digits: 1 },
      { title: 'SSIM', digits: 3 },
      { title: 'Feature MSE' },
      { title: 'Evaluations' },
      { title: 'Ended' },
    ],
    rows: units.map((unit) => {
      const [image] = unit.images;
      return [
        unit.run,
        codes[unit.defence] ?? '',
        unit.variant,
        unit.labelRule,
        unit.labelOverlap,
        unit.norm,
        unit.distance,
        image?.mse ?? null,
        image?.unclippedMse ?? null,
        image?.psnrDb ?? null,
        image?.ssim ?? null,
        image?.featureMse ?? null,
        unit.evaluations,
        unit.failure ?? unit.ends.join(', '),
      ];
    }),
    note: 'Of a batch the first image. Feature MSE: of the logits. plain: the attack as without a defence; adapted: by somebody who knows it. What diverged kept its best iterate and counts as a failure where there is none.',
  };
}
