import { z } from 'zod';
import { ErrorData, Normalisation } from './run.ts';

/** What is known about a model file; the shape of `palimpsest inspect --json`. Sizes in bytes, counts as they are. */

const found = <T extends z.ZodType>(value: T) => z.object({ value, source: z.string() }).nullable();

const TensorFacts = z.object({
  name: z.string(),
  dtype: z.string(),
  /** A text is the name of a symbolic dimension, '' one without a name; null when the rank is unknown. */
  shape: z.array(z.union([z.number(), z.string()])).nullable(),
});

const NodeName = z.object({ op: z.string(), node: z.string() });

const Classifier = z.object({
  image: z.object({
    name: z.string(),
    layout: z.enum(['nchw', 'nhwc', 'rows']),
    channels: z.int(),
    height: z.int(),
    width: z.int(),
    /** null for any. */
    fixedBatch: z.int().nullable(),
  }),
  logits: z.object({ name: z.string(), softmaxRemoved: z.boolean() }),
  classCount: z.int(),
  lastLayer: z
    .object({
      op: z.string(),
      weight: z.string(),
      features: z.string(),
      featureCount: z.int(),
      hasBias: z.boolean(),
    })
    .nullable(),
  /** Values that all of the image passes through, by depth: what can be taken as features. */
  featureLayers: z.array(
    z.object({
      name: z.string(),
      node: z.string(),
      op: z.string(),
      /** N stands for the batch. */
      shape: z.array(z.union([z.number(), z.literal('N')])),
      depth: z.int(),
    }),
  ),
  /** Every operator on the way of an image: a layer with weights, or a place where branches meet, and what follows it. */
  outline: z.array(
    z.object({
      /** Part of the network by the names in the file; '' when they say nothing. */
      stage: z.string(),
      name: z.string(),
      operators: z.array(z.string()),
      shape: z.array(z.union([z.number(), z.literal('N')])),
      parameters: z.number(),
      /** For one image. */
      flops: z.number(),
    }),
  ),
  batchNorm: z.object({ present: z.int(), trainingMode: z.int(), folded: z.enum(['likely', 'unlikely']) }),
  parameters: z.object({ count: z.int(), tensors: z.int(), named: z.int(), names: z.array(z.string()) }),
  dropouts: z.int(),
});

const OrderFacts = z.object({
  isPossible: z.boolean(),
  missing: z.array(NodeName),
  reason: z.string().optional(),
});

/** Operations of one image; a gradient's are those beside the forward pass. */
export const Cost = z.object({
  multiplyAdds: z.number(),
  forwardFlops: z.number(),
  inputGradientFlops: z.number().nullable(),
  parameterGradientFlops: z.number().nullable(),
  secondOrderFlops: z.number().nullable(),
  /** Operators of each, the forward pass among them. */
  operators: z.object({
    forward: z.int(),
    inputGradient: z.int().nullable(),
    parameterGradient: z.int().nullable(),
    secondOrder: z.int().nullable(),
  }),
  /** Numbers that a forward pass computes. */
  activations: z.number(),
  estimate: z
    .object({
      device: z.string(),
      threads: z.int(),
      gflops: z.number(),
      forwardMs: z.number(),
      inputGradientMs: z.number().nullable(),
    })
    .nullable(),
});
export type Cost = z.infer<typeof Cost>;

export const ModelInspection = z.object({
  file: z.object({
    path: z.string(),
    sizeBytes: z.number(),
    sha256: z.string(),
    hasExternalData: z.boolean(),
    /** File beside the model that holds some of its weights → SHA-256. */
    weights: z.record(z.string(), z.string()),
    irVersion: z.number(),
    opset: z.number(),
    producer: z.string(),
    metadata: z.record(z.string(), z.string()),
  }),
  /** Operator → how many nodes. */
  operators: z.record(z.string(), z.int()),
  inputs: z.array(TensorFacts),
  outputs: z.array(TensorFacts),
  /** null when the file is no image classifier that can be used; `problems` say why. */
  classifier: Classifier.nullable(),
  /** What the file, or a file beside it, calls the classes, by number. */
  classNames: found(z.array(z.string())),
  preprocessing: z.object({
    mean: found(z.array(z.number())),
    std: found(z.array(z.number())),
    /** [height, width] */
    size: found(z.array(z.number())),
    interpolation: found(z.string()),
    cropFraction: found(z.number()),
    channelOrder: found(z.enum(['rgb', 'bgr'])),
    searched: z.array(z.string()),
  }),
  cost: Cost.nullable(),
  differentiability: z.object({ order1: OrderFacts, order2: OrderFacts }),
  warnings: z.array(z.object({ code: z.string(), message: z.string(), nodes: z.array(NodeName) })),
  problems: z.array(ErrorData),
  /** What could not be found and has to be told. */
  questions: z.array(z.string()),
});
export type ModelInspection = z.infer<typeof ModelInspection>;

/** Is this one of `questions` answered by mean and standard deviation? */
export const asksForNormalisation = (question: string): boolean => question.includes('were the pixels normalised with');

/** A model that this workspace has met: bundled, dropped in, named by path, or used by a run. */
export const KnownModel = z.object({
  /** Path on the host; what a ModelRef of kind 'file' takes. */
  path: z.string(),
  /** File name without folders. */
  name: z.string(),
  origin: z.enum(['bundled', 'uploaded', 'opened']),
  sizeBytes: z.number(),
  sha256: z.string().nullable(),
  lastUsedAtMs: z.number().nullable(),
  /** Facts of the last inspection; null when it was never inspected. */
  classCount: z.int().nullable(),
  /** [channels, height, width] */
  image: z.array(z.int()).nullable(),
  parameters: z.int().nullable(),
  /** Class names and pre-processing that the user gave on its card, kept by hash; nothing of it is in the file. */
  classNames: z.array(z.string()).nullable(),
  normalisation: Normalisation.nullable(),
  /** The file is gone from its place. */
  isMissing: z.boolean(),
});
export type KnownModel = z.infer<typeof KnownModel>;
