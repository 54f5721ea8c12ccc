import { z } from 'zod';

const Estimate = z.object({ value: z.number().nullable(), low: z.number().nullable(), high: z.number().nullable() });
export type Estimate = z.infer<typeof Estimate>;
const Figures = z.record(z.string(), Estimate);

const SeverityRow = z.object({
  model: z.string(),
  attack: z.string(),
  title: z.string(),
  family: z.enum(['white-box', 'black-box', 'transfer', 'universal', 'targeted', 'worst-case', 'control', 'sweep']),
  norm: z.string(),
  epsilon: z.number().nullable(),
  steps: z.int().nullable(),
  count: z.int(),
  fooled: z.int(),
  metrics: Figures,
  severity: Figures,
  corrected: Figures,
  harm: Figures,
  shared: z.object({ count: z.int(), corrected: Figures }).nullable(),
  cost: z
    .object({
      mean: z.number().nullable(),
      p95: z.number().nullable(),
      cvar95: z.number().nullable(),
      neverEvents: z.number(),
    })
    .nullable(),
  concentration: z.object({
    dominant: z.int().nullable(),
    dominantShare: z.number().nullable(),
    labelsFor95: z.int(),
    spread: z.number().nullable(),
  }),
  flips: z.array(z.array(z.int())),
  byClass: z.array(z.object({ fooled: z.int(), severity: z.number().nullable() })).nullable(),
});
export type SeverityRow = z.infer<typeof SeverityRow>;

/** The JSON artifact "severity": what the flips of several attacks cost. */
export const SeverityData = z.object({
  classNames: z.array(z.string()),
  /** The first one leads. */
  measures: z.array(z.object({ name: z.string(), title: z.string() })),
  /** Why there is no semantic measure; null when there is one. */
  noSemantics: z.string().nullable(),
  rows: z.array(SeverityRow),
  /** The clean model's own mistakes; null without labels. */
  clean: z.object({ count: z.int(), corrected: Figures }).nullable(),
  agreement: z.array(z.object({ within: z.string(), measure: z.string(), count: z.int(), tau: z.number().nullable() })),
  differences: z.array(
    z.object({
      first: z.string(),
      second: z.string(),
      measure: z.string(),
      difference: Estimate,
      isClear: z.boolean(),
    }),
  ),
});
export type SeverityData = z.infer<typeof SeverityData>;
