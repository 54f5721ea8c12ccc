import { invariant, WorkbenchError } from '../base/errors.ts';
import { float32, floatsOf, sizeOf, type Tensor } from '../base/tensor.ts';
import { GraphBuilder, type Value } from '../autodiff/builder.ts';
import { gradients } from '../autodiff/differentiate.ts';
import { compile, type SessionOptions } from '../runtime/session.ts';
import { emitDistance, type DistanceOptions } from './objective-distance.ts';
import { emitPriors, type PriorWeights } from './objective-priors.ts';
import { bakedWeights, emitSharing, type LocalTraining, type SharedGradients } from './victim-gradient.ts';
import type { Victim } from './victim.ts';

/** pixels in [0, 1] = value · std + mean, by channel: the space that an attack moves in, often that of normalised images. */
export interface PixelSpace {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export interface ObjectiveOptions {
  readonly batchSize: number;
  /** Known labels; or 'joint': soft labels are optimised with the images, as in DLG. */
  readonly labels: 'joint' | readonly number[];
  readonly distance: DistanceOptions;
  /** Of the distance; default 1. */
  readonly scale?: number;
  readonly priors?: PriorWeights;
  /** Default: the pixels themselves. */
  readonly space?: PixelSpace;
  /** What the client did, as far as the attacker knows. */
  readonly local?: LocalTraining;
}

export interface Guess {
  /** [N, C, H, W] in the space of the attack. */
  readonly pixels: Value;
  /** [N, K]; undefined when labels are known. */
  readonly labelLogits: Value | undefined;
  readonly groupMean: Value | undefined;
}

export interface EmittedObjective {
  /** Between the gradients alone, a scalar, without `scale`. */
  readonly distance: Value;
  /** ∂(scale · distance + priors): by the pixels, and by the label logits where they are guessed. */
  readonly dPixels: Value;
  readonly dLabelLogits: Value | undefined;
  /** scale · distance + priors. */
  readonly total: Value;
}

/**
 * Emits the objective of an attack and its exact gradient, by differentiating the graph of the victim's gradient once more.
 * Weights and shared gradients are constants of the graph. @throws OP_NO_GRADIENT naming every operator in the way
 */
export function emitObjective(
  g: GraphBuilder,
  victim: Victim,
  shared: SharedGradients,
  guess: Guess,
  options: ObjectiveOptions,
): EmittedObjective {
  const { labels, distance: distanceOptions, scale = 1, priors = {}, space, local } = options;
  const { pixels, labelLogits } = guess;
  const images = space ? g.add(g.mul(pixels, perChannel(g, space.std)), perChannel(g, space.mean)) : pixels;
  const targets = labelLogits ? g.softmax(labelLogits, 1) : g.constant(oneHot(labels, victim));
  const weights = bakedWeights(g, victim);
  const sharing = emitSharing(g, victim, { images, targets, weights }, local);
  const layers = victim.parameters.map(({ name }) => {
    const [own, given] = [sharing.shared[name], shared.tensors[name]];
    invariant(own && given, `the shared gradients have ${name}`);
    return { own, shared: given };
  });
  const distance = emitDistance(g, layers, distanceOptions);
  const known = labels === 'joint' ? undefined : labels;
  const added = emitPriors(g, victim, priors, {
    pixels,
    victim: sharing.victim,
    shared,
    labels: known,
    groupMean: guess.groupMean,
  });
  const total = g.sumOf([g.mul(distance, scale), ...added]);
  const [dPixels, dLabelLogits] = gradients(g, total, [pixels, ...(labelLogits ? [labelLogits] : [])]);
  if (!dPixels || (labelLogits && !dLabelLogits)) {
    throw new WorkbenchError('MODEL_UNSUITABLE', `The gradient of ${victim.title} does not follow its images`, {
      hint: 'See `palimpsest inspect` for operators without derivative on the way.',
    });
  }
  return { distance, total, dPixels, dLabelLogits };
}

const perChannel = (g: GraphBuilder, values: readonly number[]): Value => g.floats([1, values.length, 1, 1], values);

function oneHot(labels: ObjectiveOptions['labels'], { classes }: Victim): Tensor {
  invariant(labels !== 'joint', 'labels are known where they are not guessed');
  const data = new Float32Array(labels.length * classes);
  labels.forEach((label, row) => (data[row * classes + label] = 1));
  return float32([labels.length, classes], data);
}

/** At one guess; gradients of `total`. */
export interface ObjectiveValue {
  readonly distance: number;
  readonly total: number;
  readonly dPixels: Float32Array<ArrayBuffer>;
  readonly dLabelLogits: Float32Array<ArrayBuffer> | undefined;
}

/** The objective as a session of its own. Close it in the end. */
export interface Objective {
  /** Numbers in one vector: N·C·H·W pixels, then N·K label logits where they are guessed. */
  readonly pixelCount: number;
  readonly labelCount: number;
  at(pixels: Float32Array<ArrayBuffer>, labelLogits?: Float32Array<ArrayBuffer>): Promise<ObjectiveValue>;
  close(): Promise<void>;
}

export async function openObjective(
  victim: Victim,
  shared: SharedGradients,
  options: ObjectiveOptions,
  session: SessionOptions,
): Promise<Objective> {
  const { batchSize, labels } = options;
  const g = new GraphBuilder('', session.device === 'cpu' ? 'cpu' : 'gpu');
  const pixelDims = [batchSize, ...victim.shape];
  const labelDims = labels === 'joint' ? [batchSize, victim.classes] : undefined;
  const pixels = g.input('pixels', 'float32', pixelDims);
  const labelLogits = labelDims && g.input('labelLogits', 'float32', labelDims);
  const emitted = emitObjective(g, victim, shared, { pixels, labelLogits, groupMean: undefined }, options);
  g.output('distance', emitted.distance);
  g.output('total', emitted.total);
  g.output('dPixels', emitted.dPixels);
  if (emitted.dLabelLogits) g.output('dLabelLogits', emitted.dLabelLogits);
  const compiled = await compile(g.build(`leakage from ${victim.title}`), session);
  return {
    pixelCount: sizeOf(pixelDims),
    labelCount: labelDims ? sizeOf(labelDims) : 0,
    async at(pixelValues, labelValues) {
      const results = await compiled.run({
        pixels: float32(pixelDims, pixelValues),
        ...(labelDims && labelValues ? { labelLogits: float32(labelDims, labelValues) } : {}),
      });
      const read = (name: string): Float32Array<ArrayBuffer> => {
        const value = results[name];
        invariant(value, `the objective gives ${name}`);
        return floatsOf(value);
      };
      return {
        distance: read('distance')[0] ?? Number.NaN,
        total: read('total')[0] ?? Number.NaN,
        dPixels: read('dPixels'),
        dLabelLogits: labelDims ? read('dLabelLogits') : undefined,
      };
    },
    close: () => compiled.close(),
  };
}
