import { invariant } from '../base/errors.ts';
import { float32, floatsOf, sizeOf, type Tensor } from '../base/tensor.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';
import type { Inlined } from '../autodiff/inline.ts';
import type { SharedGradients } from './victim-gradient.ts';
import type { Victim } from './victim.ts';

/** Weights of what is added to the distance; 0 or absent leaves a prior out. */
export interface PriorWeights {
  /** Total variation, mean |∂x| + mean |∂y| (Geiping et al. 2020). */
  readonly totalVariation?: number;
  /** On colours and their differences, mean over places of √(∂x² + ∂y²): the double-opponent total variation. */
  readonly opponentVariation?: number;
  /** Half the mean of the squared pixels. */
  readonly squaredNorm?: number;
  /** Σ over batch norms of ‖mean − running mean‖ + ‖variance − running variance‖ (Yin et al. 2021, eq. 10). */
  readonly batchNorm?: number;
  /** Mean squared difference to the mean of all restarts (Yin et al. 2021, eq. 11), registered as the attack asks. */
  readonly group?: number;
  /** Mean squared difference of the last layer's inputs to ∇W_y / ∇b_y; wants known labels, no two alike. */
  readonly features?: number;
}

export interface PriorInputs {
  /** What is optimised, [N, C, H, W], in the space of the attack. */
  readonly pixels: Value;
  /** The victim on the guess. */
  readonly victim: Inlined;
  readonly shared: SharedGradients;
  readonly labels: readonly number[] | undefined;
  /** Mean of the restarts, like `pixels` (registration.ts). */
  readonly groupMean: Value | undefined;
}

/** The weighted priors, each a scalar. */
export function emitPriors(g: GraphBuilder, target: Victim, weights: PriorWeights, inputs: PriorInputs): Value[] {
  const { pixels, victim, shared, labels, groupMean } = inputs;
  const wanted: readonly (readonly [number | undefined, () => Value | undefined])[] = [
    [weights.totalVariation, () => totalVariation(g, pixels)],
    [weights.opponentVariation, () => opponentVariation(g, pixels)],
    [weights.squaredNorm, () => g.mul(g.reduceMean(g.mul(pixels, pixels)), 0.5)],
    [weights.batchNorm, () => batchNormPrior(g, target, victim)],
    [weights.group, () => groupMean && meanSquare(g, g.sub(pixels, groupMean))],
    [weights.features, () => labels && featurePrior(g, target, victim, shared, labels)],
  ];
  return wanted.flatMap(([weight = 0, emit]) => {
    const value = weight === 0 ? undefined : emit();
    return value ? [g.mul(value, weight)] : [];
  });
}

const meanSquare = (g: GraphBuilder, x: Value): Value => g.reduceMean(g.mul(x, x));

/** x[…, 1:] − x[…, :−1] along an axis. */
function differences(g: GraphBuilder, x: Value, axis: number): Value {
  const size = x.shape[axis] ?? 1;
  return g.sub(g.slice(x, [axis], [1], [size]), g.slice(x, [axis], [0], [size - 1]));
}

function totalVariation(g: GraphBuilder, x: Value): Value {
  return g.add(g.reduceMean(g.abs(differences(g, x, 2))), g.reduceMean(g.abs(differences(g, x, 3))));
}

/** Beyond the border there are zeros, as in the breaching library. */
function opponentVariation(g: GraphBuilder, x: Value): Value {
  const channels = x.shape[1] ?? 1;
  const channel = (i: number): Value => g.slice(x, [1], [i], [i + 1]);
  const pairs = channels === 3 ? [[0, 1] as const, [0, 2] as const, [1, 2] as const] : [];
  const all = g.concat([x, ...pairs.map(([a, b]) => g.sub(channel(a), channel(b)))], 1);
  const squared = (axis: number): Value => {
    const end = [0, 1, 2, 3].map((i) => (i === axis ? 1 : 0));
    const difference = g.abs(differences(g, g.pad(all, [0, 0, 0, 0, ...end]), axis));
    const lifted = g.add(difference, 1e-8);
    return g.mul(lifted, lifted);
  };
  return g.reduceMean(g.sqrt(g.add(squared(2), squared(3))));
}

function batchNormPrior(g: GraphBuilder, { graph }: Victim, victim: Inlined): Value | undefined {
  const norm = (x: Value): Value => g.sqrt(g.add(g.reduceSumSquare(x), 1e-20));
  const terms = graph.nodes.flatMap(({ op, domain, inputs: [x = '', , , mean = '', variance = ''] }) => {
    if (op !== 'BatchNormalization' || domain !== '') return [];
    const value = victim.value(x);
    const axes = value.shape.flatMap((_, axis) => (axis === 1 ? [] : [axis]));
    const batchMean = g.reduceMean(value, axes, true);
    const centred = g.sub(value, batchMean);
    const batchVariance = g.reduceMean(g.mul(centred, centred), axes);
    const flatMean = g.reshape(batchMean, batchVariance.shape);
    return [norm(g.sub(flatMean, victim.value(mean))), norm(g.sub(batchVariance, victim.value(variance)))];
  });
  return terms.length === 0 ? undefined : g.sumOf(terms);
}

function featurePrior(
  g: GraphBuilder,
  target: Victim,
  victim: Inlined,
  shared: SharedGradients,
  labels: readonly number[],
): Value | undefined {
  const measured = measuredFeatures(target, shared, labels);
  const { head } = target;
  if (!head || !measured) return undefined;
  const features = g.reshape(victim.value(head.features), measured.dims);
  return meanSquare(g, g.sub(features, g.constant(measured)));
}

/** ∇W_y / ∇b_y for each label: what entered the last layer, if no other image of the batch had label y. [N, features] */
function measuredFeatures(
  { head }: Victim,
  { tensors }: SharedGradients,
  labels: readonly number[],
): Tensor | undefined {
  if (!head?.bias) return undefined;
  const [weight, bias] = [tensors[head.weight], tensors[head.bias]];
  invariant(weight && bias, 'the shared gradients have the last layer');
  const [w, b] = [floatsOf(weight), floatsOf(bias)];
  const { featureCount, isTransposed } = head;
  const data = new Float32Array(labels.length * featureCount);
  labels.forEach((label, row) => {
    const divisor = b[label] ?? 0;
    if (divisor === 0) return;
    for (let f = 0; f < featureCount; f++) {
      const index = isTransposed ? f * (sizeOf(weight.dims) / featureCount) + label : label * featureCount + f;
      data[row * featureCount + f] = (w[index] ?? 0) / divisor;
    }
  });
  return float32([labels.length, featureCount], data);
}
