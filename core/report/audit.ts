import { z } from 'zod';
import type { LineChartBlock, ReportBlock, ReportSection } from './document.ts';
import { percent } from './evaluation.ts';
import { formatNumber } from './format.ts';
import type { SeverityData } from './severity.ts';

const Interval = z.tuple([z.number(), z.number()]);

/** The JSON artifact "audit": accuracy of every model under every attack at every epsilon. */
export const AuditData = z.object({
  preset: z.string(),
  dataTitle: z.string(),
  norm: z.string(),
  epsilons: z.array(z.number()),
  survivorsOnly: z.boolean(),
  goal: z.string(),
  seed: z.int(),
  /** Attack, its options and its passes for one image at most. */
  attacks: z.array(
    z.object({
      id: z.string(),
      title: z.string(),
      access: z.string(),
      isControl: z.boolean(),
      options: z.record(z.string(), z.unknown()),
      forward: z.number(),
      backward: z.number(),
    }),
  ),
  models: z.array(
    z.object({
      role: z.string(),
      title: z.string(),
      count: z.int(),
      cleanAccuracy: z.number(),
      cleanInterval: Interval,
      rows: z.array(
        z.object({
          attack: z.string(),
          title: z.string(),
          access: z.enum(['white-box', 'score', 'decision', 'transfer', 'none']),
          isControl: z.boolean(),
          epsilon: z.number(),
          robustAccuracy: z.number(),
          interval: Interval,
          successRate: z.number().nullable(),
          foolingRate: z.number(),
          medianNorm: z.number().nullable(),
          meanQueries: z.number().nullable(),
          meanGradientCalls: z.number().nullable(),
          /** Images that it was shown. */
          attacked: z.int(),
          /** Of an attack that transfers: images that fool its source, and those of them that fool the model. */
          transfer: z.object({ source: z.int(), both: z.int() }).nullable().default(null),
        }),
      ),
      worst: z.array(
        z.object({
          epsilon: z.number(),
          robustAccuracy: z.number(),
          interval: Interval,
          fallen: z.array(z.object({ attack: z.string(), images: z.int() })),
        }),
      ),
      /** What all attacks of a kind leave together: by asking the model, or by another model. Empty for survivors only. */
      together: z
        .array(
          z.object({
            by: z.enum(['asking', 'transfer']),
            epsilon: z.number(),
            robustAccuracy: z.number(),
            interval: Interval,
          }),
        )
        .default([]),
    }),
  ),
  suspicions: z.array(z.string()),
  leftOut: z.array(z.string()),
  /** What makes figures say less than they seem to: the same file under two roles. */
  remarks: z.array(z.string()).default([]),
  /** What is said of a random defence before the models; empty without. */
  defence: z.string().default(''),
  /** Largest epsilon, after rounding to 8 bits; null where it was not done. */
  eightBit: z.object({ epsilon: z.number(), count: z.int(), stillFooled: z.int() }).nullable(),
  /** Accuracy of each model under common corruptions, by strength; null where it was not measured. */
  corruptions: z
    .object({
      strengths: z.array(z.int()),
      rows: z.array(z.object({ model: z.string(), kind: z.string(), accuracies: z.array(z.number()) })),
    })
    .nullable(),
  /** What is to be said of each row of the picture "gallery". */
  gallery: z.object({ epsilon: z.number(), magnified: z.number(), notes: z.array(z.string()) }).nullable(),
});
export type AuditData = z.infer<typeof AuditData>;

/** The JSON artifact "universal": perturbations that are the same for all images. */
export const UniversalData = z.object({
  count: z.int(),
  epsilon: z.number(),
  magnified: z.number(),
  rows: z.array(
    z.object({
      kind: z.string(),
      title: z.string(),
      isControl: z.boolean(),
      isDataFree: z.boolean(),
      foolingRate: z.number(),
      interval: Interval,
      accuracy: z.number(),
      largest: z.number(),
    }),
  ),
});
export type UniversalData = z.infer<typeof UniversalData>;

export const epsilonText = (audit: Pick<AuditData, 'norm'>, epsilon: number): string =>
  `${audit.norm} ${formatNumber(Number(epsilon.toPrecision(4)))}`;

/** Several models on the same images: worst cases and severity beside each other. Nothing for one. */
export function comparisonSection(audit: AuditData, severity: SeverityData | undefined): ReportSection {
  const { models, epsilons } = audit;
  if (models.length < 2) return { title: 'Models beside each other', blocks: [] };
  const [measure] = severity?.measures ?? [];
  const severityOf = (model: string, epsilon: number): number | null => {
    const isIts = (row: SeverityData['rows'][number]): boolean =>
      row.attack === 'worst' && row.model === model && row.epsilon === epsilon;
    return (measure && severity?.rows.find(isIts)?.corrected[measure.name]?.value) ?? null;
  };
  return {
    title: 'Models beside each other',
    blocks: [
      {
        kind: 'table',
        title: 'Worst case of each model',
        columns: [
          { title: 'Model' },
          { title: 'No attack', unit: 'fraction' },
          ...epsilons.flatMap((epsilon) => [
            { title: epsilonText(audit, epsilon), unit: 'fraction' },
            { title: '95 % interval', align: 'right' as const },
            ...(measure ? [{ title: 'Severity', digits: 2 }] : []),
          ]),
        ],
        rows: models.map(({ title, cleanAccuracy, worst }) => [
          title,
          cleanAccuracy,
          ...worst.flatMap(({ epsilon, robustAccuracy, interval }) => [
            robustAccuracy,
            `${percent(interval[0])} – ${percent(interval[1])}`,
            ...(measure ? [severityOf(title, epsilon)] : []),
          ]),
        ]),
        note: `The same ${formatNumber(models[0]?.count ?? 0)} images and attacks for each; Wilson intervals.${measure ? ` Severity of the worst case against chance: ${measure.title}.` : ''}`,
      },
      {
        kind: 'line',
        title: 'Worst case over epsilon, by model',
        x: { title: `Epsilon (${audit.norm})` },
        y: { title: 'Robust accuracy', unit: 'fraction', min: 0, max: 1 },
        series: models.map(({ title, cleanAccuracy, cleanInterval, worst }) => ({
          name: title,
          points: [
            [0, cleanAccuracy] as const,
            ...worst.map(({ epsilon, robustAccuracy }) => [epsilon, robustAccuracy] as const),
          ],
          band: [
            [0, ...cleanInterval] as const,
            ...worst.map(({ epsilon, interval }) => [epsilon, ...interval] as const),
          ],
        })),
        note: 'Bands are 95 % intervals (Wilson).',
      },
    ],
  };
}

/** Curves, the table of attacks and epsilons, and what each attack took. */
export function accuracySection(audit: AuditData): ReportSection {
  const several = audit.models.length > 1;
  const cumulative = audit.survivorsOnly
    ? ' Each attack saw only what those before it had left standing: its line is the accuracy after it.'
    : '';
  return {
    title: 'Robust accuracy',
    blocks: [
      ...audit.models.map((model): ReportBlock => curve(audit, model, several)),
      {
        kind: 'table',
        title: 'Attacks and epsilons',
        columns: [
          ...(several ? [{ title: 'Model' }] : []),
          { title: 'Attack' },
          ...audit.epsilons.map((epsilon) => ({ title: epsilonText(audit, epsilon), unit: 'fraction' })),
        ],
        rows: audit.models.flatMap((model) => {
          const name = several ? [model.title] : [];
          const ids = [...new Set(model.rows.map(({ attack }) => attack))];
          return [
            ...ids.map((id) => [
              ...name,
              model.rows.find(({ attack }) => attack === id)?.title ?? id,
              ...audit.epsilons.map(
                (epsilon) =>
                  model.rows.find((row) => row.attack === id && row.epsilon === epsilon)?.robustAccuracy ?? null,
              ),
            ]),
            [...name, 'Worst case', ...model.worst.map(({ robustAccuracy }) => robustAccuracy)],
            [...name, 'No attack', ...audit.epsilons.map(() => model.cleanAccuracy)],
          ];
        }),
        note: `Share of all ${formatNumber(audit.models[0]?.count ?? 0)} images that are answered rightly and stay so. Worst case: under every attack, at this or a smaller epsilon; controls do not count. Every image was clipped to the ball and the box, measured, and shown to the model again.${cumulative}`,
      },
      {
        kind: 'table',
        title: 'Effort of each attack',
        columns: [
          ...(several ? [{ title: 'Model' }] : []),
          { title: 'Attack' },
          { title: 'Epsilon', digits: 3 },
          { title: '95 % interval', align: 'right' },
          { title: 'Success', unit: 'fraction' },
          { title: `Median ${audit.norm}`, digits: 3 },
          { title: 'Queries an image', digits: 0 },
          { title: 'Gradients an image', digits: 0 },
          { title: 'Images shown', digits: 0 },
        ],
        rows: audit.models.flatMap((model) =>
          model.rows.map((row) => [
            ...(several ? [model.title] : []),
            row.title,
            row.epsilon,
            `${percent(row.interval[0])} – ${percent(row.interval[1])}`,
            row.successRate,
            row.medianNorm,
            row.meanQueries,
            row.meanGradientCalls,
            row.attacked,
          ]),
        ),
        note: 'Wilson intervals of the robust accuracy. Success: of the images answered rightly, the share that was fooled. The median is over fooled images.',
      },
    ],
  };
}

/** Accuracy over epsilon, per attack and worst case, from the clean accuracy at 0. */
function curve(audit: AuditData, model: AuditData['models'][number], several: boolean): LineChartBlock {
  const ids = [...new Set(model.rows.map(({ attack }) => attack))];
  const clean = [0, model.cleanAccuracy] as const;
  const cleanBand = [0, ...model.cleanInterval] as const;
  return {
    kind: 'line',
    title: `Accuracy over epsilon${several ? `: ${model.title}` : ''}`,
    x: { title: `Epsilon (${audit.norm})` },
    y: { title: 'Robust accuracy', unit: 'fraction', min: 0, max: 1 },
    series: [
      {
        name: 'Worst case',
        isLeading: true,
        points: [clean, ...model.worst.map(({ epsilon, robustAccuracy }) => [epsilon, robustAccuracy] as const)],
        band: [cleanBand, ...model.worst.map(({ epsilon, interval }) => [epsilon, ...interval] as const)],
      },
      ...ids.map((id) => {
        const rows = model.rows.filter(({ attack }) => attack === id);
        return {
          name: rows[0]?.title ?? id,
          points: [clean, ...rows.map(({ epsilon, robustAccuracy }) => [epsilon, robustAccuracy] as const)],
          band: rows.map(({ epsilon, interval }) => [epsilon, ...interval] as const),
          isWhiskers: true,
        };
      }),
    ],
    note: 'The band is the 95 % interval of the worst case, the thin lines are those of the attacks, set apart sideways (Wilson); their figures stand under “Effort of each attack”.',
  };
}

/** Without an attacker: nothing where it was not measured. */
export function corruptionSection({ corruptions, models }: AuditData): ReportSection {
  if (!corruptions) return { title: 'Without an attacker', blocks: [] };
  const several = models.length > 1;
  return {
    title: 'Without an attacker',
    blocks: [
      {
        kind: 'table',
        title: 'Accuracy under common corruptions',
        columns: [
          ...(several ? [{ title: 'Model' }] : []),
          { title: 'Corruption' },
          ...corruptions.strengths.map((strength) => ({ title: `Strength ${strength}`, unit: 'fraction' })),
        ],
        rows: corruptions.rows.map(({ model, kind, accuracies }) => [...(several ? [model] : []), kind, ...accuracies]),
        note: 'In the spirit of Hendrycks and Dietterich 2019, made for small images: to be compared with each other, not with their tables.',
      },
    ],
  };
}
