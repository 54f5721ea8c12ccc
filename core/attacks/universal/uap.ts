import { invariant } from '../../base/errors.ts';
import { permutation, stream } from '../../base/rng.ts';
import { float32, floatsOf, zeros } from '../../base/tensor.ts';
import type { Value } from '../../autodiff/builder.ts';
import { topClass } from '../../metrics/classification.ts';
import { inputGradient } from '../look.ts';
import { isPredicted } from '../objectives.ts';
import { oneHot, type LoopDefinition, type Victim } from '../victim.ts';
import { answersOf, foolingRate, perturbed, type UniversalRun } from './universal.ts';

export interface UapOptions {
  readonly epsilon: number;
  readonly seed: number;
  /** Fooling rate on the given images at which the search ends; default 0.8. */
  readonly goal?: number;
  readonly passes?: number;
  /** Likeliest classes that DeepFool looks at; default 10. */
  readonly candidates?: number;
}

const overshoot = 0.02;
const deepFoolSteps = 10;

/**
 * Moosavi-Dezfooli et al. 2017, "Universal adversarial perturbations", algorithm 1, in linf: over the shuffled images,
 * each one that v does not fool yet adds its smallest step over the nearest border (DeepFool from x + v), and v is
 * brought back to the ball. Labels are not looked at: what counts is that the answer changes. The best v of all passes.
 */
export async function* universalPerturbation(
  victim: Victim,
  images: Float32Array,
  { epsilon, seed, goal = 0.8, passes = 5, candidates = 10 }: UapOptions,
): UniversalRun {
  const { size, bounds } = victim;
  const before = await answersOf(victim, images);
  const v = new Float32Array(size);
  let best = Float32Array.from(v);
  let bestRate = 0;
  const total = passes * before.length;
  for (let pass = 0; pass < passes && bestRate < goal; pass++) {
    const order = permutation(stream(seed, 'universal', 'uap', pass), before.length);
    for (const [done, i] of order.entries()) {
      yield { done: pass * before.length + done, total };
      const image = perturbed(images.subarray(i * size, (i + 1) * size), v, bounds);
      const step = await overTheBorder(victim, image, before[i]!, candidates);
      if (!step) continue;
      for (let p = 0; p < size; p++) v[p] = Math.min(epsilon, Math.max(-epsilon, v[p]! + step[p]!));
    }
    const rate = await foolingRate(victim, images, before, v);
    if (rate > bestRate) [best, bestRate] = [Float32Array.from(v), rate];
  }
  yield { done: total, total };
  return best;
}

/**
 * DeepFool (Moosavi-Dezfooli et al. 2016) from `image` away from class `own`: the whole step with its overshoot;
 * undefined when it is there already or does not arrive.
 */
async function overTheBorder(
  victim: Victim,
  image: Float32Array,
  own: number,
  candidates: number,
): Promise<Float32Array | undefined> {
  const { classes, model } = victim;
  const logits = await victim.logits(image);
  if (topClass(logits, 0, classes) !== own) return undefined;
  const others = Array.from({ length: classes }, (_, k) => k)
    .filter((k) => k !== own)
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
    .slice(0, Math.max(1, candidates - 1));
  const loop = await victim.loop('universal uap', others.length, wayDefinition(victim));
  const dims = [1, ...model.shape];
  const { state } = await loop.run({
    // Whether the last step has led over the border is seen at the beginning of one more.
    count: deepFoolSteps + 1,
    state: { sum: zeros(dims), arrived: zeros([1]) },
    steps: {},
    shared: {
      image: float32(dims, Float32Array.from(image)),
      own: float32([1, classes], oneHot([own], classes)),
      others: float32([others.length, classes], oneHot(others, classes)),
    },
  });
  const { sum, arrived } = state;
  invariant(sum && arrived, 'the loop carries its state');
  if (floatsOf(arrived)[0] === 0) return undefined;
  return floatsOf(sum).map((value) => value * (1 + overshoot));
}

/**
 * A step |f_k − f_own| / ‖w‖² · w to the nearest linearised border, w = ∇f_k − ∇f_own, as a Loop body that ends when the answer
 * has changed or no border can be seen. The candidates are the rows of the batch.
 */
function wayDefinition({ model, classes }: Victim): LoopDefinition {
  const image = { dtype: 'float32', shape: [1, ...model.shape] } as const;
  return {
    types: (batch) => ({
      state: { sum: image, arrived: { dtype: 'float32', shape: [1] } },
      steps: {},
      shared: {
        image,
        own: { dtype: 'float32', shape: [1, classes] },
        others: { dtype: 'float32', shape: [batch, classes] },
      },
    }),
    body:
      (look) =>
      (g, { state: { sum }, shared: { image: from, own, others } }) => {
        invariant(sum && from && own && others, 'the loop has the values that its types name');
        const [rows = 1] = others.shape;
        const point = g.add(from, g.mul(sum, 1 + overshoot));
        const points = g.concat(new Array<Value>(rows).fill(point), 0);
        const logits = look(g, points);
        const cotangent = g.sub(others, own);
        const normals = inputGradient(g, logits, cotangent, points, model);
        const stays = isPredicted(g, g.slice(logits, [0], [0], [1]), own);
        const squares = g.reduceSum(g.mul(normals, normals), [1, 2, 3]);
        const gaps = g.add(g.abs(g.reduceSum(g.mul(logits, cotangent), [1])), 1e-6);
        // NaN is not above zero: what is no number is no border.
        const isBorder = g.greater(squares, 0);
        const distances = g.where(isBorder, g.div(gaps, g.sqrt(squares)), g.scalar(3e38));
        const nearest = g.argMax(g.neg(distances), 0, true);
        const scale = g.div(g.gather(gaps, nearest, 0), g.gather(squares, nearest, 0));
        const step = g.mul(g.gather(normals, nearest, 0), g.reshape(scale, [1, 1, 1, 1]));
        const isHere = g.greater(g.reshape(stays, [1]), 0.5);
        const found = g.greater(g.reduceMax(g.neg(distances), [0], true), -2e38);
        const goesOn = g.and(isHere, found);
        return {
          state: {
            sum: g.where(g.reshape(goesOn, [1, 1, 1, 1]), g.add(sum, step), sum),
            arrived: g.cast(g.not(isHere), 'float32'),
          },
          trace: {},
          goesOn: g.reshape(goesOn, []),
        };
      },
  };
}
