import { invariant } from '../../base/errors.ts';
import { stream } from '../../base/rng.ts';
import { float32, sizeOf, tensor, type Tensor } from '../../base/tensor.ts';
import { randomAffine } from '../../data/augment.ts';
import { createBatchOrder } from '../../data/batches.ts';
import { createChunker } from '../../runtime/chunks.ts';
import { stackSteps } from '../../runtime/loop.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import { affineView } from '../../train/affine-view.ts';
import { isIdentity, type ViewRange } from '../../train/distillation.ts';
import type { ImageSource } from '../../train/evaluate.ts';
import { crossEntropy } from '../../train/losses.ts';
import type { OpenedModel } from '../../train/models.ts';
import { createOptimiser, type OptimiserKind } from '../../train/optimisers.ts';
import { constantSchedule, cosineSchedule, oneCycleSchedule, type Schedule } from '../../train/schedules.ts';
import { createTrainingLoop, type TrainingLoop, type TrainingSnapshot } from '../../train/training-loop.ts';

export interface SupervisedOptions {
  readonly epochs: number;
  readonly batchSize: number;
  readonly optimiser: OptimiserKind;
  readonly learningRate: number;
  readonly schedule: 'one-cycle' | 'cosine' | 'constant';
  readonly momentum: number;
  readonly nesterov: boolean;
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  readonly view: ViewRange;
  readonly seed: number;
  readonly session: SessionOptions;
}

/** A chunk of a training. */
export interface SupervisedProgress {
  /** Steps done, of totalSteps. */
  readonly step: number;
  readonly totalSteps: number;
  /** Loss of each step of the chunk. */
  readonly losses: Float32Array;
  readonly snapshot: TrainingSnapshot;
  /** Trained weights and running statistics, by initialiser name. */
  parameters(): Record<string, Tensor>;
}

/** Feeds of one chunk stay below it, however fast a step is. */
const chunkBytes = 2 ** 26;

export const supervisedSteps = (count: number, { epochs, batchSize }: SupervisedOptions): number =>
  Math.ceil((count * epochs) / batchSize);

/**
 * Trains on the mean cross-entropy of random batches, from a snapshot when there is one; a snapshot of the last step
 * gives one chunk without steps.
 */
export async function* trainSupervised(
  model: OpenedModel,
  source: ImageSource,
  labels: Int32Array,
  options: SupervisedOptions,
  from: TrainingSnapshot | undefined,
  now: () => number,
): AsyncGenerator<SupervisedProgress, void, void> {
  const totalSteps = supervisedSteps(source.count, options);
  const loop = await openLoop(model, options, totalSteps);
  try {
    if (from) loop.restore(from);
    const feeds = createFeeds(model, source, labels, options);
    const most = Math.max(1, Math.floor(chunkBytes / (4 * options.batchSize * sizeOf(model.shape))));
    const chunker = createChunker({ most });
    const said = (losses: Float32Array): SupervisedProgress => ({
      step: loop.step,
      totalSteps,
      losses,
      snapshot: loop.snapshot(),
      parameters: () => loop.parameters(),
    });
    if (loop.step >= totalSteps) yield said(new Float32Array(0));
    while (loop.step < totalSteps) {
      const count = chunker.next(totalSteps - loop.step);
      const steps = await feeds(loop.step, count);
      const startedAt = now();
      const { loss } = await loop.run(count, { steps });
      invariant(loss, 'a training loop records its loss');
      chunker.done(count, now() - startedAt);
      yield said(loss);
    }
  } finally {
    await loop.close();
  }
}

function openLoop(model: OpenedModel, options: SupervisedOptions, totalSteps: number): Promise<TrainingLoop> {
  const { batchSize, optimiser, momentum, nesterov, weightDecay, labelSmoothing } = options;
  return createTrainingLoop({
    name: model.title,
    graph: model.graph,
    inputName: model.inputName,
    outputName: model.logitsName,
    steps: {
      images: { dtype: 'float32', shape: [batchSize, ...model.shape] },
      labels: { dtype: 'int64', shape: [batchSize] },
      ...(isIdentity(options.view) ? {} : { theta: { dtype: 'float32', shape: [batchSize, 2, 3] } }),
    },
    input: (g, { steps }) => (steps['theta'] ? affineView(g, steps['images']!, steps['theta']) : steps['images']!),
    loss: (g, { logits, steps }) => ({
      loss: crossEntropy(g, logits, steps['labels']!, { smoothing: labelSmoothing }),
    }),
    optimiser: createOptimiser(optimiser, optimiser === 'sgd' ? { momentum, nesterov, weightDecay } : { weightDecay }),
    schedule: scheduleOf(options, totalSteps),
    seed: options.seed,
    session: options.session,
  });
}

function scheduleOf({ schedule, learningRate }: SupervisedOptions, totalSteps: number): Schedule {
  if (schedule === 'one-cycle') return oneCycleSchedule({ peak: learningRate, totalSteps });
  return schedule === 'cosine' ? cosineSchedule({ learningRate, totalSteps }) : constantSchedule(learningRate);
}

type Feeds = (step: number, count: number) => Promise<Record<string, Tensor>>;

function createFeeds(
  { shape }: OpenedModel,
  source: ImageSource,
  labels: Int32Array,
  { batchSize, seed, view }: SupervisedOptions,
): Feeds {
  const order = createBatchOrder(seed, 'train.order', source.count, batchSize);
  const [, height, width] = shape;
  const batchLength = batchSize * sizeOf(shape);
  return async (step, count) => {
    const images = new Float32Array(count * batchLength);
    const classes = new BigInt64Array(count * batchSize);
    for (let k = 0; k < count; k++) {
      const indices = order.at(step + k);
      await source.read(indices, images.subarray(k * batchLength, (k + 1) * batchLength));
      indices.forEach((index, i) => (classes[k * batchSize + i] = BigInt(labels[index]!)));
    }
    const theta = (): Tensor =>
      stackSteps(count, [batchSize, 2, 3], (k, row) => {
        const rng = stream(seed, 'train.view', step + k);
        for (let i = 0; i < batchSize; i++) row.set(randomAffine(rng, { ...view, height, width }), 6 * i);
      });
    return {
      images: float32([count, batchSize, ...shape], images),
      labels: tensor('int64', [count, batchSize], classes),
      ...(isIdentity(view) ? {} : { theta: theta() }),
    };
  };
}
