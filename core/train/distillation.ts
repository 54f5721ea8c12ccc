import { invariant } from '../base/errors.ts';
import { stream } from '../base/rng.ts';
import { float32, sizeOf, type Tensor } from '../base/tensor.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';
import { inlineGraph } from '../autodiff/inline.ts';
import { randomAffine } from '../data/augment.ts';
import { createBatchOrder } from '../data/batches.ts';
import { createChunker } from '../runtime/chunks.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { affineView } from './affine-view.ts';
import { spendMemoryOn } from './cost.ts';
import { releaseAugmentation, type Augmented } from './augmentation.ts';
import type { ImageSource } from './evaluate.ts';
import { applyLight, isPlainLight, lightFeeds, lightTypes, type LightRange } from './light.ts';
import { crossEntropy, distillation as distillationLoss, type Reduction } from './losses.ts';
import type { OpenedModel } from './models.ts';
import { createOptimiser } from './optimisers.ts';
import { constantSchedule, cosineSchedule } from './schedules.ts';
import { createTrainingLoop, type TrainingLoop, type TrainingSnapshot } from './training-loop.ts';

/** Random affine views as augmentation; content turned, scaled and shifted within these ranges. */
export interface ViewRange {
  readonly rotationDegrees: number;
  readonly scaleMin: number;
  readonly scaleMax: number;
  readonly translatePixels: number;
}

export const isIdentity = (view: ViewRange): boolean =>
  view.rotationDegrees === 0 && view.translatePixels === 0 && view.scaleMin === 1 && view.scaleMax === 1;

export interface DistillOptions {
  /** Names the random streams: two arms of one run with the same name and data are the same. */
  readonly name: string;
  readonly teacher: OpenedModel;
  readonly student: OpenedModel;
  readonly temperature: number;
  /** λ: weight of the soft answers; the rest, 1 − λ, is that of the teacher's most likely class. Default: 1. */
  readonly softWeight?: number;
  readonly epochs: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly schedule: 'cosine' | 'constant';
  readonly weightDecay: number;
  /** 'release': one of the released code's transforms for each image, in place of `view`. */
  readonly augmentation?: 'affine' | 'release';
  readonly view: ViewRange;
  /** Default: the images keep their brightness. */
  readonly light?: LightRange;
  /** Of every so many epochs the last passes without augmentation; 0: none does, 1: all do. */
  readonly plainEpochs: number;
  readonly seed: number;
  /** No chunk runs over a multiple of so many steps. */
  readonly stopEvery?: number;
  readonly session: SessionOptions;
}

export interface TransferSet {
  readonly source: ImageSource;
  /**
   * Teacher logits [count, K] to learn in place of what the teacher says of each (augmented) image: fixed responses, or
   * log-probabilities times the temperature.
   */
  readonly logits?: Float32Array;
  /** Relative weight of each item's loss [count]; 1 when absent. */
  readonly weights?: Float32Array;
}

/** A chunk of a distillation. */
export interface DistillProgress {
  /** Steps done, of totalSteps. */
  readonly step: number;
  readonly totalSteps: number;
  /** Loss of each step of the chunk. */
  readonly losses: Float32Array;
  readonly snapshot: TrainingSnapshot;
  /** The student's weights as they are now, by initialiser name. */
  parameters(): Record<string, Tensor>;
}

export const distillSteps = (count: number, epochs: number, batchSize: number): number =>
  Math.ceil((count * epochs) / batchSize);

/**
 * Trains a student on λ·τ²·KL(teacher ‖ student) + (1 − λ)·CE(student, the teacher's most likely class) with Adam
 * (zskd.md section 3, steps 8 and 9; arbitrary-transfer-sets.md section 4, step 5). The teacher answers each augmented view
 * inside the graph, in inference mode; the student is in training mode.
 */
export async function* distill(
  options: DistillOptions,
  set: TransferSet,
  from: TrainingSnapshot | undefined,
  now: () => number,
): AsyncGenerator<DistillProgress, void, void> {
  const totalSteps = distillSteps(set.source.count, options.epochs, options.batchSize);
  const loop = await openLoop(options, set, totalSteps);
  try {
    if (from) loop.restore(from);
    const feeds = createFeeds(options, set);
    const chunker = createChunker({ most: affordableSteps(options) });
    const { stopEvery = totalSteps } = options;
    while (loop.step < totalSteps) {
      const count = chunker.next(Math.min(totalSteps - loop.step, stopEvery - (loop.step % stopEvery)));
      const startedAt = now();
      const { loss } = await loop.run(count, { steps: await feeds(loop.step, count) });
      invariant(loss, 'a training loop records its loss');
      chunker.done(count, now() - startedAt);
      yield {
        step: loop.step,
        totalSteps,
        losses: loss,
        snapshot: loop.snapshot(),
        parameters: () => loop.parameters(),
      };
    }
  } finally {
    await loop.close();
  }
}

/** A chunk's images are copied on their way into a lane: small networks would take hundreds of megabytes at once. */
const chunkBytes = 32 * 2 ** 20;

const affordableSteps = ({ batchSize, student }: DistillOptions): number =>
  Math.min(512, Math.max(1, Math.floor(chunkBytes / (4 * batchSize * sizeOf(student.shape)))));

/** Augmentation is decided by epoch: an identity view costs a resampling too, so it is left out where nothing varies. */
const augments = ({ augmentation, view, plainEpochs }: DistillOptions): boolean =>
  plainEpochs !== 1 && (augmentation === 'release' || !isIdentity(view));

const unlit: LightRange = { brightness: 1, overlay: 0 };
const lightOf = ({ light = unlit, plainEpochs }: DistillOptions): LightRange => (plainEpochs === 1 ? unlit : light);

/** Whether row i of a step belongs to an epoch that passes without augmentation. */
function isPlain({ batchSize, plainEpochs }: DistillOptions, items: number, step: number, i: number): boolean {
  const epoch = Math.floor((step * batchSize + i) / items);
  return plainEpochs > 0 && epoch % plainEpochs === plainEpochs - 1;
}

function openLoop(options: DistillOptions, set: TransferSet, totalSteps: number): Promise<TrainingLoop> {
  const { teacher, student, batchSize, learningRate } = options;
  const rows = { dtype: 'float32', shape: [batchSize] } as const;
  return createTrainingLoop({
    name: options.name,
    graph: student.graph,
    inputName: student.inputName,
    outputName: student.logitsName,
    steps: {
      images: { dtype: 'float32', shape: [batchSize, ...student.shape] },
      ...(augments(options) ? { theta: { dtype: 'float32', shape: [batchSize, 2, 3] } } : {}),
      ...lightTypes(lightOf(options), batchSize),
      ...(set.logits ? { logits: { dtype: 'float32', shape: [batchSize, student.classes] } } : {}),
      ...(set.weights ? { weights: rows } : {}),
    },
    input: (g, { steps }) => {
      const { images, theta } = steps;
      invariant(images, 'a distillation is fed images');
      return applyLight(g, theta ? affineView(g, images, theta) : images, steps);
    },
    loss: (g, { input, logits, steps }) => {
      const wanted = steps['logits'] ?? teacherLogits(g, teacher, input);
      const { weights } = steps;
      if (!weights) return { loss: mixedLoss(g, logits, wanted, options, 'mean') };
      return { loss: g.reduceMean(g.mul(mixedLoss(g, logits, wanted, options, 'none'), weights)) };
    },
    optimiser: createOptimiser('adam', { weightDecay: options.weightDecay }),
    schedule:
      options.schedule === 'cosine' ? cosineSchedule({ learningRate, totalSteps }) : constantSchedule(learningRate),
    seed: options.seed,
    session: options.session,
  });
}

function mixedLoss(
  g: GraphBuilder,
  logits: Value,
  wanted: Value,
  { temperature, softWeight = 1 }: DistillOptions,
  reduction: Reduction,
): Value {
  const soft = (): Value => distillationLoss(g, logits, wanted, { temperature, reduction });
  const hard = (): Value => crossEntropy(g, logits, g.argMax(wanted, 1), { reduction });
  if (softWeight === 1) return soft();
  if (softWeight === 0) return hard();
  return g.add(g.mul(soft(), softWeight), g.mul(hard(), 1 - softWeight));
}

function teacherLogits(g: GraphBuilder, teacher: OpenedModel, input: Value): Value {
  spendMemoryOn(g, teacher.graph);
  const logits = inlineGraph(g, teacher.graph, { inputs: { [teacher.inputName]: input } }).outputs[teacher.logitsName];
  invariant(logits, 'the teacher has logits');
  return logits;
}

type Feeds = (step: number, count: number) => Promise<Record<string, Tensor>>;

function createFeeds(options: DistillOptions, set: TransferSet): Feeds {
  const { batchSize, student, seed, name } = options;
  const items = set.source.count;
  const order = createBatchOrder(seed, `${name}.order`, items, batchSize);
  const size = student.shape[0] * student.shape[1] * student.shape[2];
  const light = {
    range: lightOf(options),
    batchSize,
    name,
    seed,
    isPlain: (step: number, i: number) => isPlain(options, items, step, i),
  };
  return async (step, count) => {
    const images = new Float32Array(count * batchSize * size);
    const logits = set.logits && new Float32Array(count * batchSize * student.classes);
    const weights = set.weights && new Float32Array(count * batchSize);
    const theta = augments(options) ? new Float32Array(count * batchSize * 6) : undefined;
    for (let k = 0; k < count; k++) {
      const indices = order.at(step + k);
      await set.source.read(indices, images.subarray(k * batchSize * size, (k + 1) * batchSize * size));
      indices.forEach((index, i) => {
        const row = k * batchSize + i;
        const { classes } = student;
        if (logits && set.logits)
          logits.set(set.logits.subarray(index * classes, (index + 1) * classes), row * classes);
        if (weights && set.weights) weights[row] = set.weights[index]!;
      });
      if (theta) {
        const rows = k * batchSize;
        augmentBatch(options, items, step + k, images.subarray(rows * size), theta.subarray(rows * 6));
      }
    }
    return {
      images: float32([count, batchSize, ...student.shape], images),
      ...(isPlainLight(light.range) ? {} : lightFeeds(light, step, count)),
      ...(theta ? { theta: float32([count, batchSize, 2, 3], theta) } : {}),
      ...(logits ? { logits: float32([count, batchSize, student.classes], logits) } : {}),
      ...(weights ? { weights: float32([count, batchSize], weights) } : {}),
    };
  };
}

/** Draws the views of one batch into `theta` [B, 6] and changes the pixels that the drawn transforms change. */
function augmentBatch(
  options: DistillOptions,
  items: number,
  step: number,
  images: Float32Array,
  theta: Float32Array,
): void {
  const { batchSize, view, seed, name, augmentation } = options;
  const [channels, height, width] = options.student.shape;
  const size = channels * height * width;
  const rng = stream(seed, `${name}.view`, step);
  for (let i = 0; i < batchSize; i++) {
    const drawn: Augmented =
      augmentation === 'release'
        ? releaseAugmentation(rng, height, width)
        : { theta: randomAffine(rng, { ...view, height, width }) };
    const passes = isPlain(options, items, step, i);
    theta.set(passes ? [1, 0, 0, 0, 1, 0] : drawn.theta, i * 6);
    if (!passes) drawn.pixels?.(images.subarray(i * size, (i + 1) * size));
  }
}
