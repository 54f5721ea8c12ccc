import { invariant } from '../../base/errors.ts';
import { permutation, stream } from '../../base/rng.ts';
import { float32, floatsOf, tensor, zeros } from '../../base/tensor.ts';
import type { GraphBuilder, Value } from '../../autodiff/builder.ts';
import { gradients } from '../../autodiff/differentiate.ts';
import { oneHot, type LoopDefinition, type Victim } from '../victim.ts';
import { answersOf, foolingRate, type UniversalRun } from './universal.ts';

export interface OverImagesOptions {
  readonly epsilon: number;
  readonly seed: number;
  readonly epochs?: number;
  readonly batchSize?: number;
}

const momentum = 0.9;

/**
 * One perturbation that makes min(CE(z, c), 2 ln K) larger, c the model's own answer: what is fooled already does not pull
 * (Shafahi et al. 2020, "Universal adversarial training"). By signed gradient steps with momentum over batches of images, clipped to the ball and to the box; the
 * step falls from epsilon / 5 to epsilon / 50. Our own procedure: much cheaper than algorithm 1 of Moosavi-Dezfooli et al.
 * Answers of the model stand for labels. The best of all epochs, by the fooling rate on the images themselves.
 */
export async function* perturbationOverImages(
  victim: Victim,
  images: Float32Array,
  { epsilon, seed, epochs = 20, batchSize = 16 }: OverImagesOptions,
): UniversalRun {
  const { size, classes, model, stepsPerChunk } = victim;
  const before = await answersOf(victim, images);
  const batch = Math.min(batchSize, before.length);
  const batches = Math.floor(before.length / batch);
  const loop = await victim.loop('universal over images', batch, stepDefinition(victim));
  let state: { v: Float32Array<ArrayBuffer>; m: Float32Array<ArrayBuffer> } = {
    v: new Float32Array(size),
    m: new Float32Array(size),
  };
  let best = state.v;
  let bestRate = 0;
  const total = epochs * batches;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = permutation(stream(seed, 'universal', 'over-images', epoch), before.length);
    for (let from = 0; from < batches; from += stepsPerChunk) {
      const count = Math.min(stepsPerChunk, batches - from);
      const rows = order.subarray(from * batch, (from + count) * batch);
      const own = new Float32Array(rows.length * size);
      rows.forEach((row, i) => own.set(images.subarray(row * size, (row + 1) * size), i * size));
      const answers = oneHot(
        Int32Array.from(rows, (row) => before[row]!),
        classes,
      );
      const rate = (epsilon / 5) * 0.1 ** ((epoch + from / batches) / epochs);
      const { state: next } = await loop.run({
        count,
        state: { v: float32([1, ...model.shape], state.v), m: float32([1, ...model.shape], state.m) },
        steps: {
          images: float32([count, batch, ...model.shape], own),
          answers: float32([count, batch, classes], answers),
          rate: tensor('float32', [count], new Float32Array(count).fill(rate)),
        },
        shared: { epsilon: tensor('float32', [], Float32Array.of(epsilon)) },
      });
      state = { v: floatsOf(next['v'] ?? zeros([1])), m: floatsOf(next['m'] ?? zeros([1])) };
      yield { done: epoch * batches + from + count, total };
    }
    const rate = await foolingRate(victim, images, before, state.v);
    if (rate > bestRate) [best, bestRate] = [state.v, rate];
  }
  return best;
}

function stepDefinition(victim: Victim): LoopDefinition {
  const { model, classes, bounds } = victim;
  return {
    types: (batch) => ({
      state: {
        v: { dtype: 'float32', shape: [1, ...model.shape] },
        m: { dtype: 'float32', shape: [1, ...model.shape] },
      },
      steps: {
        images: { dtype: 'float32', shape: [batch, ...model.shape] },
        answers: { dtype: 'float32', shape: [batch, classes] },
        rate: { dtype: 'float32', shape: [] },
      },
      shared: { epsilon: { dtype: 'float32', shape: [] } },
    }),
    body:
      (look) =>
      (g, { state: { v, m }, steps: { images, answers, rate }, shared: { epsilon } }) => {
        invariant(v && m && images && answers && rate && epsilon, 'the loop has the values that its types name');
        const logits = look(g, g.clip(g.add(images, v), ...bounds));
        const objective = g.reduceSum(clamped(g, logits, answers));
        const [gradient] = gradients(g, [{ value: objective }], [v]);
        invariant(gradient, `the logits of ${model.title} follow its images`);
        // Scaled to a mean of 1, so that the momentum does not hang on the size of the loss.
        const length = g.add(g.reduceMean(g.abs(gradient)), 1e-30);
        const nextM = g.add(g.mul(m, momentum), g.div(gradient, length));
        const moved = g.add(v, g.mul(g.sign(nextM), rate));
        return { state: { v: g.min(g.max(moved, g.neg(epsilon)), epsilon), m: nextM }, trace: { objective } };
      },
  };
}

/** min(CE, 2 ln K) for each image [B]. */
function clamped(g: GraphBuilder, logits: Value, answers: Value): Value {
  const own = g.reduceSum(g.mul(g.logSoftmax(logits, 1), answers), [1]);
  return g.min(g.neg(own), 2 * Math.log(logits.shape[1] ?? 2));
}
