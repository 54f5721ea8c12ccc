import { invariant, WorkbenchError } from '../../base/errors.ts';
import { fillNormal, fillUniform, stream } from '../../base/rng.ts';
import { float32, floatsOf, sizeOf, zeros, type Tensor } from '../../base/tensor.ts';
import type { GraphBuilder, Value } from '../../autodiff/builder.ts';
import { gradients } from '../../autodiff/differentiate.ts';
import { inlineGraph } from '../../autodiff/inline.ts';
import { randomAffine } from '../../data/augment.ts';
import type { Graph } from '../../onnx/graph.ts';
import { compileLoop, stackSteps, type CompiledLoop, type LoopTypes } from '../../runtime/loop.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import { affineView } from '../affine-view.ts';
import { spendMemoryOn } from '../cost.ts';
import { isIdentity, type ViewRange } from '../distillation.ts';
import { crossEntropy } from '../losses.ts';
import { createOptimiser, type Optimiser } from '../optimisers.ts';

/** What the synthesis needs to know about the teacher. */
export interface SynthesisTeacher {
  /** House-opset graph cut at the logits. */
  readonly graph: Graph;
  readonly inputName: string;
  readonly logitsName: string;
  /** [C, H, W]. */
  readonly shape: readonly [number, number, number];
  readonly classes: number;
  /** Valid pixel values. */
  readonly bounds: readonly [number, number];
  /** Batch-norm layers: the value that enters, and the running statistics. */
  readonly batchNorms: readonly {
    readonly valueName: string;
    readonly mean: Float32Array;
    readonly variance: Float32Array;
  }[];
}

export interface SynthesisOptions {
  readonly batchSize: number;
  readonly steps: number;
  /** Adam's, in shares of the pixel range. */
  readonly learningRate: number;
  readonly schedule: 'constant' | 'linear';
  readonly temperature: number;
  /** 'mixed' clips the batches of even number and leaves the others free. */
  readonly pixels: 'clamp' | 'free' | 'mixed' | 'batch-min-max' | 'image-min-max';
  readonly initial: 'uniform' | 'normal';
  readonly initialScale: number;
  readonly totalVariation: number;
  readonly sparsity: number;
  readonly batchNormPrior: number;
  readonly view: ViewRange;
  /** Each batch goes on from the one before, with its moments and step count: Adam never starts again. */
  readonly warmStart: boolean;
  readonly seed: number;
}

/** Images `x` [B, C, H, W] and optimiser state of one batch between chunks; carried in checkpoints. */
export type SynthesisState = Readonly<Record<string, Tensor>>;

export interface Synthesis {
  /** Fresh images and moments of a batch; they depend on the seed and the batch number alone. */
  start(batch: number): SynthesisState;
  /** Runs some steps of a batch. NUMERIC_DIVERGED when a loss, or an image at the end, is not finite. */
  advance(chunk: SynthesisChunk): Promise<Advanced>;
  close(): Promise<void>;
}

/** Steps [from, from + count) of a batch. */
export interface SynthesisChunk {
  readonly batch: number;
  readonly state: SynthesisState;
  readonly from: number;
  readonly count: number;
  /** [B, K], rows sum to 1. */
  readonly targets: Tensor;
  /** Loss of step `from` − 1, for the message of a divergence. */
  readonly lastLoss?: number | undefined;
}

interface Advanced {
  readonly state: SynthesisState;
  /** Mean cross-entropy of each step [count], nats. */
  readonly losses: Float32Array;
}

/**
 * min over x of CE(y, softmax(z(view(x))/τ)) + a·Σ|∇x| + b·Σ|x| + c·batch-norm distance, by Adam on the pixels, then
 * the pixel rule (zskd.md section 3 step 6 and section 6 items 3–6). Losses are summed over the batch, so that a step
 * does not depend on the batch size.
 */
export async function openSynthesis(
  teacher: SynthesisTeacher,
  options: SynthesisOptions,
  session: SessionOptions,
): Promise<Synthesis> {
  const { batchSize } = options;
  const dims = [batchSize, ...teacher.shape];
  const image = { dtype: 'float32', shape: dims } as const;
  const optimiser = createOptimiser('adam');
  const slots = Object.keys(optimiser.stateFor({ x: zeros(dims) }));
  const types: LoopTypes = {
    state: { x: image, ...Object.fromEntries(slots.map((slot) => [slot, image])) },
    steps: {
      optimiser: { dtype: 'float32', shape: [optimiser.scalarCount] },
      ...(isIdentity(options.view) ? {} : { theta: { dtype: 'float32', shape: [batchSize, 2, 3] } }),
    },
    shared: {
      targets: { dtype: 'float32', shape: [batchSize, teacher.classes] },
      ...(options.pixels === 'mixed' ? { limits: { dtype: 'float32', shape: [2] } } : {}),
    },
  };
  const loop = await compileLoop(
    'synthesis',
    types,
    (g, { state, steps, shared }) => {
      const x = state['x']!;
      const seen = steps['theta'] ? affineView(g, x, steps['theta'], true) : x;
      spendMemoryOn(g, teacher.graph);
      const inlined = inlineGraph(g, teacher.graph, { inputs: { [teacher.inputName]: seen } });
      const fit = crossEntropy(g, inlined.outputs[teacher.logitsName]!, shared['targets']!, {
        temperature: options.temperature,
        reduction: 'sum',
      });
      const terms: Value[] = [fit];
      if (options.totalVariation > 0) terms.push(g.mul(totalVariation(g, x), options.totalVariation));
      if (options.sparsity > 0) terms.push(g.mul(g.reduceSum(g.abs(x)), options.sparsity));
      if (options.batchNormPrior > 0) {
        for (const layer of teacher.batchNorms) {
          const distance = statisticsDistance(g, inlined.value(layer.valueName), layer);
          terms.push(g.mul(distance, options.batchNormPrior * batchSize));
        }
      }
      const [dX] = gradients(g, g.sumOf(terms), [x]);
      const next = optimiser.update(g, { parameters: { x }, grads: { x: dX }, state, scalars: steps['optimiser']! });
      const moved = next.parameters['x']!;
      return {
        state: { ...next.state, x: constrain(g, moved, options.pixels, teacher.bounds, shared['limits']) },
        trace: { loss: g.div(fit, batchSize) },
      };
    },
    session,
  );
  return {
    start: (batch) => startBatch(batch, dims, teacher.bounds, options, optimiser),
    advance: advancer(loop, teacher, options, optimiser),
    close: () => loop.close(),
  };
}

function startBatch(
  batch: number,
  dims: readonly number[],
  [low, high]: readonly [number, number],
  options: SynthesisOptions,
  optimiser: Optimiser,
): SynthesisState {
  const data = new Float32Array(sizeOf(dims));
  const rng = stream(options.seed, 'initial', batch);
  if (options.initial === 'uniform') fillUniform(rng, data, 0, options.initialScale);
  else fillNormal(rng, data, 0, options.initialScale);
  for (let i = 0; i < data.length; i++) data[i] = low + (high - low) * data[i]!;
  const x = float32(dims, data);
  return { x, ...optimiser.stateFor({ x }) };
}

function advancer(
  loop: CompiledLoop,
  teacher: SynthesisTeacher,
  options: SynthesisOptions,
  optimiser: Optimiser,
): Synthesis['advance'] {
  const [, height, width] = teacher.shape;
  const range = teacher.bounds[1] - teacher.bounds[0];
  return async ({ batch, state, from, count, targets, lastLoss }) => {
    const scalars = stackSteps(count, [optimiser.scalarCount], (k, row) => {
      const step = from + k;
      const fall = options.schedule === 'linear' ? 1 - step / options.steps : 1;
      const updates = options.warmStart ? batch * options.steps + step : step;
      row.set(optimiser.scalars(options.learningRate * range * fall, updates));
    });
    const steps: Record<string, Tensor> = { optimiser: scalars };
    if (!isIdentity(options.view)) {
      steps['theta'] = stackSteps(count, [options.batchSize, 2, 3], (k, row) => {
        const rng = stream(options.seed, 'view', batch, from + k);
        for (let i = 0; i < options.batchSize; i++)
          row.set(randomAffine(rng, { ...options.view, height, width }), i * 6);
      });
    }
    const limits = options.pixels === 'mixed' ? { limits: limitsOf(batch, teacher.bounds) } : {};
    const result = await loop.run({ count, state, steps, shared: { targets, ...limits } });
    const losses = floatsOf(result.trace['loss']!, 'synthesis losses');
    const bad = losses.findIndex((value) => !Number.isFinite(value));
    if (bad >= 0) throw diverged('loss', batch, from + bad, bad > 0 ? losses[bad - 1] : lastLoss);
    // The update of the last step is in no loss yet.
    if (!floatsOf(result.state['x']!, 'images').every(Number.isFinite)) {
      throw diverged('images', batch, from + count - 1, losses.at(-1));
    }
    return { state: result.state, losses };
  };
}

function diverged(what: 'loss' | 'images', batch: number, step: number, last: number | undefined): WorkbenchError {
  const before = last === undefined ? 'there was no finite loss before it' : `the last finite loss was ${last}`;
  return new WorkbenchError(
    'NUMERIC_DIVERGED',
    `The synthesis ${what} of batch ${batch} stopped being finite numbers at step ${step}; ${before}`,
    {
      hint: 'Lower the synthesis learning rate, or use pixel handling "clamp".',
      details: { batch, step, lastFinite: last ?? null },
    },
  );
}

/** Σ over the batch of |x[i+1, j] − x[i, j]| + |x[i, j+1] − x[i, j]|. */
function totalVariation(g: GraphBuilder, x: Value): Value {
  const difference = (axis: number): Value => {
    const size = x.shape[axis] ?? 1;
    return g.reduceSum(g.abs(g.sub(g.slice(x, [axis], [1], [size]), g.slice(x, [axis], [0], [size - 1]))));
  };
  return g.add(difference(2), difference(3));
}

/** ‖μ(a) − μ̂‖² + ‖σ²(a) − σ̂²‖² over channels, statistics over batch and space. */
function statisticsDistance(
  g: GraphBuilder,
  a: Value,
  layer: { readonly mean: Float32Array; readonly variance: Float32Array },
): Value {
  const axes = [0, ...a.shape.map((_, axis) => axis).slice(2)];
  const mean = g.reduceMean(a, axes, true);
  const centred = g.sub(a, mean);
  const variance = g.reduceMean(g.mul(centred, centred), axes);
  const running = (values: Float32Array): Value => g.constant(float32([values.length], Float32Array.from(values)));
  return g.add(
    g.reduceSumSquare(g.sub(g.reshape(mean, [layer.mean.length]), running(layer.mean))),
    g.reduceSumSquare(g.sub(variance, running(layer.variance))),
  );
}

/** What a batch's pixels may reach where batches differ; no finite image comes near the limits of a free one. */
const limitsOf = (batch: number, bounds: readonly [number, number]): Tensor =>
  float32([2], batch % 2 === 0 ? bounds : [-3e38, 3e38]);

function constrain(
  g: GraphBuilder,
  x: Value,
  rule: SynthesisOptions['pixels'],
  [low, high]: readonly [number, number],
  limits: Value | undefined,
): Value {
  if (rule === 'free') return x;
  if (rule === 'clamp') return g.clip(x, low, high);
  if (rule === 'mixed') {
    invariant(limits, 'batches that differ are fed their limits');
    return g.max(g.min(x, g.slice(limits, [0], [1], [2])), g.slice(limits, [0], [0], [1]));
  }
  const axes = rule === 'batch-min-max' ? undefined : [1, 2, 3];
  const least = g.neg(g.reduceMax(g.neg(x), axes, true));
  const most = g.reduceMax(x, axes, true);
  const unit = g.div(g.sub(x, least), g.max(g.sub(most, least), 1e-8));
  return g.add(g.mul(unit, high - low), low);
}
