import { invariant, WorkbenchError } from '../../base/errors.ts';
import { fillNormal, fillUniform, stream } from '../../base/rng.ts';
import { float32, floatsOf, tensor, zeros } from '../../base/tensor.ts';
import type { GraphBuilder, Value } from '../../autodiff/builder.ts';
import { gradients } from '../../autodiff/differentiate.ts';
import { inlineGraph } from '../../autodiff/inline.ts';
import type { Graph } from '../../onnx/graph.ts';
import type { LoopDefinition, Victim } from '../victim.ts';
import { answersOf, foolingRate, type UniversalRun } from './universal.ts';

/**
 * - `fff`: −Σ_l log(mean |a_l(v)|) (Mopuri, Garg, Babu 2017, "Fast feature fool", equation 5)
 * - `gd-uap`: −Σ_l log(‖a_l(x + v)‖² / 2) (Mopuri, Ganeshan, Babu 2019, equation 3), x zero or Gaussian images
 */
export type DataFreeLoss = 'fff' | 'gd-uap';

export interface DataFreeOptions {
  readonly epsilon: number;
  readonly seed: number;
  readonly loss: DataFreeLoss;
  readonly steps?: number;
  /** Mean and deviation of the images that v is added to; undefined: v alone, around `centre`. */
  readonly range?: { readonly mean: number; readonly deviation: number } | undefined;
  /** Pixel that stands for the zero of a mean-subtracted image; default: the lowest. */
  readonly centre?: number;
  /** Images [N, C, H, W] by which the best perturbation is chosen, such as drawings: none of the audited ones. */
  readonly validation: Float32Array;
}

const batchSize = 8;
const rescaleEvery = 200;
const adam = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8 } as const;

/**
 * A perturbation made without images: it drives the activations after each convolution up, so that features are
 * swamped. Adam at epsilon / 100 from U(−ε, ε), clipped to the ball. FFF halves v at every look, GD-UAP when more than
 * half of it saturates and that share has settled. Chosen by the fooling rate on the validation images, as the released
 * code chooses on substitute data.
 */
export async function* dataFreePerturbation(victim: Victim, options: DataFreeOptions): UniversalRun {
  const { epsilon, seed, loss, steps = 2000, range, validation } = options;
  const { size, model, bounds } = victim;
  const names = featureNames(model.graph, model.title);
  const batch = range ? batchSize : 1;
  const loop = await victim.loop(`universal ${loss} ${batch}`, batch, stepDefinition(victim, loss, names));
  const before = await answersOf(victim, validation);
  const dims = [1, ...model.shape];
  let v = new Float32Array(size);
  fillUniform(stream(seed, 'universal', loss, 'start'), v, -epsilon, epsilon);
  let [m, s] = [new Float32Array(size), new Float32Array(size)];
  let best = v;
  let bestRate = -1;
  let saturation = 0;
  let count = 0;
  for (let step = 0; step < steps; step += count) {
    // What it sees, and when it is looked at, must not hang on how fast the model is.
    count = Math.min(victim.stepsPerChunk * 5, rescaleEvery - (step % rescaleEvery), steps - step);
    const base = new Float32Array(count * batch * size).fill(options.centre ?? bounds[0]);
    if (range) {
      for (let i = 0; i < count; i++) {
        const images = base.subarray(i * batch * size, (i + 1) * batch * size);
        fillNormal(stream(seed, 'universal', loss, 'range', step + i), images, range.mean, range.deviation);
      }
    }
    const rates = Float32Array.from({ length: count }, (_, i) => adamRate(epsilon / 100, step + i));
    const { state } = await loop.run({
      count,
      state: { v: float32(dims, v), m: float32(dims, m), s: float32(dims, s) },
      steps: { base: float32([count, batch, ...model.shape], base), rate: tensor('float32', [count], rates) },
      shared: { epsilon: tensor('float32', [], Float32Array.of(epsilon)) },
    });
    [v, m, s] = [read(state['v']), read(state['m']), read(state['s'])];
    yield { done: step + count, total: steps };
    if ((step + count) % rescaleEvery !== 0 && step + count < steps) continue;
    const rate = await foolingRate(victim, validation, before, v);
    if (rate > bestRate) [best, bestRate] = [v, rate];
    const now = v.reduce((total, value) => total + Number(Math.abs(value) >= epsilon * (1 - 1e-6)), 0) / size;
    // Clipped pixels have no gradient left; halved ones have.
    if (loss === 'fff' || (now > 0.5 && Math.abs(now - saturation) < 1e-2)) v = v.map((value) => value / 2);
    saturation = now;
  }
  return best;
}

const read = (value: Parameters<typeof floatsOf>[0] | undefined): Float32Array<ArrayBuffer> =>
  floatsOf(value ?? zeros([1]));

/** Adam's rate with both bias corrections for the step that counts from 0. */
const adamRate = (rate: number, step: number): number =>
  (rate * Math.sqrt(1 - adam.beta2 ** (step + 1))) / (1 - adam.beta1 ** (step + 1));

function stepDefinition(victim: Victim, loss: DataFreeLoss, names: readonly string[]): LoopDefinition {
  const { model } = victim;
  const image = { dtype: 'float32', shape: [1, ...model.shape] } as const;
  return {
    types: (batch) => ({
      state: { v: image, m: image, s: image },
      steps: {
        base: { dtype: 'float32', shape: [batch, ...model.shape] },
        rate: { dtype: 'float32', shape: [] },
      },
      shared: { epsilon: { dtype: 'float32', shape: [] } },
    }),
    body:
      () =>
      (g, { state: { v, m, s }, steps: { base, rate }, shared: { epsilon } }) => {
        invariant(v && m && s && base && rate && epsilon, 'the loop has the values that its types name');
        const inlined = inlineGraph(g, model.graph, { inputs: { [model.inputName]: g.add(base, v) } });
        const objective = g.sumOf(names.map((name) => strength(g, loss, inlined.value(name))));
        const [gradient] = gradients(g, [{ value: objective }], [v]);
        invariant(gradient, `the features of ${model.title} follow its images`);
        const nextM = g.add(g.mul(m, adam.beta1), g.mul(gradient, 1 - adam.beta1));
        const nextS = g.add(g.mul(s, adam.beta2), g.mul(g.mul(gradient, gradient), 1 - adam.beta2));
        const moved = g.add(v, g.mul(g.div(nextM, g.add(g.sqrt(nextS), adam.epsilon)), rate));
        const clipped = g.min(g.max(moved, g.neg(epsilon)), epsilon);
        return { state: { v: clipped, m: nextM, s: nextS }, trace: { objective } };
      },
  };
}

/** log of how strongly a layer answers; the small number keeps a dead layer finite. */
function strength(g: GraphBuilder, loss: DataFreeLoss, activation: Value): Value {
  const amount = loss === 'fff' ? g.reduceMean(g.abs(activation)) : g.mul(g.reduceSumSquare(activation), 0.5);
  return g.log(g.add(amount, 1e-12));
}

/**
 * Outputs of the convolutions, taken after the Relu that follows where there is one; of the hidden linear layers in a
 * model without convolutions. @throws MODEL_UNSUITABLE when there is neither
 */
export function featureNames(graph: Graph, title: string): readonly string[] {
  const outputs = new Set(graph.outputs.map(({ name }) => name));
  const after = (ops: readonly string[]): string[] =>
    graph.nodes.flatMap((node) => {
      const [name = ''] = node.outputs;
      if (!ops.includes(node.op)) return [];
      const last = throughActivation(graph, name);
      return outputs.has(last) ? [] : [last];
    });
  const convolutions = after(['Conv']);
  const names = convolutions.length > 0 ? convolutions : after(['Gemm', 'MatMul']);
  if (names.length > 0) return names;
  throw new WorkbenchError(
    'MODEL_UNSUITABLE',
    `${title} has no hidden layer whose activations a data-free perturbation could raise`,
    {
      hint: 'Use perturbations made from images or impressions.',
    },
  );
}

const between = new Set(['Relu', 'BatchNormalization', 'Add', 'LeakyRelu', 'Clip', 'Sigmoid', 'Tanh', 'Mul']);

/** Follows bias, batch norm and activation while each has one reader. */
function throughActivation({ nodes }: Graph, from: string): string {
  let name = from;
  for (let hops = 0; hops < 4; hops++) {
    const readers = nodes.filter((node) => node.inputs.includes(name));
    const [next] = readers;
    if (readers.length !== 1 || !next || !between.has(next.op)) return name;
    name = next.outputs[0] ?? name;
    if (next.op === 'Relu') return name;
  }
  return name;
}
