import { stream } from '../../base/rng.ts';
import { float32, sizeOf, type FloatTensor } from '../../base/tensor.ts';
import { accuracy, argmaxRows } from '../../metrics/classification.ts';
import { createBatchOrder } from '../../data/batches.ts';
import type { Defence } from '../../leakage/defence.ts';
import type { Victim } from '../../leakage/victim.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import { arraySource, createPredictor } from '../../train/evaluate.ts';
import type { Pictures } from './inputs.ts';
import { openSharing, weightsOf, type OwnWeights } from './sharing.ts';

export interface DefendedTraining {
  readonly victim: Victim;
  readonly images: Pictures & { readonly labels: Int32Array };
  readonly defence: Defence;
  readonly steps: number;
  readonly batchSize: number;
  readonly learningRate: number;
  readonly seed: number;
  readonly session: SessionOptions;
  readonly now: () => number;
}

export interface TrainingState {
  readonly step: number;
  readonly weights: OwnWeights;
  /** Mean loss of the last fifty steps. */
  readonly loss: number;
}

/**
 * Plain SGD with the gradients as they would be shared, W ← W − η·defended(g): what a federation with a defence learns in a
 * number of rounds of one participant each. Yields about twice a second, and at the end.
 */
export async function* trainDefended(
  training: DefendedTraining,
  from: TrainingState | undefined,
): AsyncGenerator<TrainingState, void, void> {
  const { victim, images, defence, steps, learningRate, seed, now } = training;
  const batchSize = Math.min(training.batchSize, images.count);
  const order = createBatchOrder(seed, 'leakage.train', images.count, batchSize);
  const sharing = openSharing(victim, training.session);
  const size = sizeOf(victim.shape);
  let weights = from?.weights ?? weightsOf(victim);
  let loss = from?.loss ?? Number.NaN;
  try {
    let saidAt = now();
    for (let step = from?.step ?? 0; step < steps; step++) {
      const batch = new Float32Array(batchSize * size);
      const labels = Array.from(order.at(step), (item, k) => {
        batch.set(images.images.subarray(item * size, (item + 1) * size), k * size);
        return images.labels[item] ?? 0;
      });
      const given = float32([batchSize, ...victim.shape], batch);
      const { shared, loss: own } = await sharing.shareDefended(given, labels, weights, defence, seed, step);
      weights = moved(weights, shared.tensors, learningRate);
      loss = Number.isNaN(loss) ? own : 0.98 * loss + 0.02 * own;
      if (step + 1 < steps && now() - saidAt < 400) continue;
      saidAt = now();
      yield { step: step + 1, weights, loss };
    }
    if (steps === (from?.step ?? 0)) yield { step: steps, weights, loss };
  } finally {
    await sharing.close();
  }
}

function moved(weights: OwnWeights, gradients: OwnWeights, rate: number): OwnWeights {
  return Object.fromEntries(
    Object.entries(weights).map(([name, { dims, data }]) => {
      const gradient = gradients[name]?.data;
      return [name, float32(dims, gradient ? data.map((value, i) => value - rate * (gradient[i] ?? 0)) : data)];
    }),
  );
}

/** The victim with other weights. */
export function withWeights(victim: Victim, weights: Readonly<Record<string, FloatTensor>>): Victim {
  const initializers = new Map(victim.graph.initializers);
  for (const [name, value] of Object.entries(weights)) initializers.set(name, value);
  return {
    ...victim,
    graph: { ...victim.graph, initializers },
    parameters: victim.parameters.map((each) => ({ ...each, initial: weights[each.name] ?? each.initial })),
  };
}

/** Top-1 of a victim on labelled images. */
export async function accuracyOf(
  victim: Victim,
  { images, labels }: { readonly images: Float32Array; readonly labels: Int32Array },
  session: SessionOptions,
  signal: AbortSignal,
): Promise<number> {
  const predictor = await createPredictor({ graph: victim.graph, shape: victim.shape, session });
  try {
    const logits = await predictor.predict(arraySource(images, victim.shape), { signal });
    return accuracy(argmaxRows(logits, victim.classes), labels);
  } finally {
    await predictor.close();
  }
}

/** A seeded share of the images to train on and the rest to test on, where there are no others. */
export function halves(
  pictures: Pictures & { readonly labels: Int32Array<ArrayBuffer> },
  size: number,
  seed: number,
): {
  readonly train: Pictures & { readonly labels: Int32Array<ArrayBuffer> };
  readonly test: Pictures & { readonly labels: Int32Array<ArrayBuffer> };
} {
  const rng = stream(seed, 'leakage', 'halves');
  const side = Array.from({ length: pictures.count }, () => rng.uniform() < 0.5);
  const part = (wanted: boolean): Pictures & { readonly labels: Int32Array<ArrayBuffer> } => {
    const items = side.flatMap((isFirst, i) => (isFirst === wanted ? [i] : []));
    const images = new Float32Array(items.length * size);
    items.forEach((item, k) => images.set(pictures.images.subarray(item * size, (item + 1) * size), k * size));
    const labels = Int32Array.from(items, (item) => pictures.labels[item] ?? 0);
    return { title: `half of ${pictures.title}`, count: items.length, images, labels };
  };
  return { train: part(true), test: part(false) };
}
