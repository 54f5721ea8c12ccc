import { z } from 'zod';

/** JSON artifacts of a run, written by run.ts and read by the report and by the window. */

/** Pixels between the rows of a film. */
export const filmGap = 2;

const Finite = z.number().nullable();

export const UnitResultData = z.object({
  id: z.string(),
  /** Index into the defences of the run; 0 is none. */
  defence: z.int(),
  variant: z.enum(['plain', 'adapted']),
  run: z.int(),
  /** Of the batch before the defence; null for a gradient from a file. */
  loss: Finite,
  /** L2, of what was shared. */
  norm: z.number(),
  labelRule: z.string(),
  labelNotes: z.array(z.string()).readonly(),
  labels: z.array(z.int()),
  trueLabels: z.array(z.int()).nullable(),
  labelOverlap: z.number().nullable(),
  /** Of the gradients, as reached. */
  distance: Finite,
  evaluations: z.int(),
  steps: z.int(),
  ends: z.array(z.string()),
  /** Why there is no reconstruction; counted as not recovered. */
  failure: z.string().nullable(),
  /** In the order of the true images. */
  images: z.array(
    z.object({
      mse: Finite,
      unclippedMse: Finite,
      psnrDb: z.number(),
      ssim: z.number(),
      /** Mean squared difference of the victim's logits, in logits squared. */
      featureMse: Finite.optional(),
      identified: z.boolean().nullable().optional(),
    }),
  ),
  frames: z.array(z.object({ step: z.int(), distance: Finite })),
});
export type UnitResult = z.infer<typeof UnitResultData>;

const Share = z.object({
  count: z.int(),
  of: z.int(),
  share: z.number(),
  /** Wilson, 95 %. */
  interval: z.tuple([z.number(), z.number()]),
});

/** Of one defence, by the better attack of each run. */
const DefenceFigures = z.object({
  title: z.string(),
  /** Variance on each shared number. */
  noise: z.number(),
  /** MSE ≤ 0.01; null: there is no truth to score against. */
  success: Share.nullable(),
  curve: z.array(Share.extend({ threshold: z.number() })),
  /** An attack by somebody who knows the defence was made, too. */
  isKnown: z.boolean().default(false),
  labelAccuracy: Finite,
  identified: Finite,
  psnrDb: Finite,
  ssim: Finite,
});
export type DefenceFigures = z.infer<typeof DefenceFigures>;

export const AttacksData = z.object({
  attack: z.string(),
  batchSize: z.int(),
  /** None first. */
  figures: z.array(DefenceFigures),
  units: z.array(UnitResultData),
  galleryCount: z.int(),
  /** Pictures of a film, and the steps between them. */
  history: z.int(),
});
export type AttacksData = z.infer<typeof AttacksData>;

export const PreflightData = z.object({
  title: z.string(),
  facts: z.array(z.tuple([z.string(), z.string()])),
  warnings: z.array(z.string()),
  norms: z.array(z.number()),
  losses: z.array(z.number()),
  vanished: z.int(),
  /** Milliseconds: of one evaluation, and of the whole run. */
  evaluationMs: z.number().nullable(),
  likelyMs: z.number().nullable(),
});
export type PreflightData = z.infer<typeof PreflightData>;

/** What the gradient of a file says by itself. */
export const GradientFileData = z.object({
  name: z.string(),
  sha256: z.string(),
  norm: z.number(),
  /** Tensors in half precision. */
  halves: z.int(),
  /** Images behind it: at least; as it looks; as the attacks take it. */
  least: z.int(),
  estimate: z.int().nullable(),
  batchSize: z.int(),
  isCounted: z.boolean(),
  notes: z.array(z.string()),
  warnings: z.array(z.string()),
  labelRule: z.string(),
  /** By name; null: no rule tells them. */
  labels: z.array(z.string()).nullable(),
  labelNotes: z.array(z.string()),
});
export type GradientFileData = z.infer<typeof GradientFileData>;

export const LabelTableData = z.object({
  batches: z.int(),
  rows: z.array(
    z.object({
      network: z.string(),
      batchSize: z.int(),
      kind: z.enum(['as they come', 'distinct', 'one class']),
      /** Overlap of a guess that names all classes equally often and sees no gradient. */
      guess: z.number().default(0),
      rules: z.array(
        z.object({
          rule: z.string(),
          /** Batches with every label right, and how many it could say something of. */
          exact: z.int(),
          answered: z.int(),
          overlap: z.number(),
          note: z.string(),
        }),
      ),
    }),
  ),
});
export type LabelTableData = z.infer<typeof LabelTableData>;

export const ClosedFormData = z.object({
  rows: z.array(
    z.object({
      way: z.string(),
      batchSize: z.int(),
      images: z.int(),
      exact: z.int(),
      meanMse: Finite,
      expected: z.string(),
      note: z.string(),
    }),
  ),
});
export type ClosedFormData = z.infer<typeof ClosedFormData>;

/** What came back by formula of a gradient from a file. */
export const ClosedFileData = z.object({
  rows: z.array(
    z.object({
      way: z.string(),
      count: z.int(),
      /** ‖g′ − g‖/‖g‖ of what came back; null for a batch, or where nothing did. */
      distance: Finite,
      note: z.string(),
    }),
  ),
});
export type ClosedFileData = z.infer<typeof ClosedFileData>;

export const TradeoffData = z.object({
  steps: z.int(),
  batchSize: z.int(),
  trainedOn: z.string(),
  testedOn: z.int(),
  delta: z.number(),
  rows: z.array(
    z.object({
      defence: z.string(),
      accuracy: z.number(),
      interval: z.tuple([z.number(), z.number()]),
      loss: Finite,
      /** Of DP-SGD; null for the others. */
      epsilon: z.number().nullable(),
    }),
  ),
});
export type TradeoffData = z.infer<typeof TradeoffData>;
