import { WorkbenchError } from '../base/errors.ts';
import { stream } from '../base/rng.ts';
import { sizeOf, type FloatTensor } from '../base/tensor.ts';
import { toBfloat16, toFloat16, toInt8, toSigns } from './defence-quantise.ts';

/** Gradients by the name of their parameter. */
export type Gradients = Readonly<Record<string, FloatTensor>>;

/** What a client does to a gradient before it shares it (Zhu et al. 2019, section 5; Abadi et al. 2016 for 'dp-sgd'). */
export type Defence =
  | { readonly kind: 'none' }
  | { readonly kind: 'gaussian' | 'laplace'; readonly variance: number }
  /** Each example's gradient is scaled to a global L2 norm of at most `norm`, before the mean. */
  | { readonly kind: 'clip'; readonly norm: number }
  /** The smallest |g| become 0: a fraction of each tensor, or of all of them together. */
  | { readonly kind: 'prune'; readonly fraction: number; readonly scope: 'tensor' | 'global' }
  | { readonly kind: 'float16' | 'bfloat16' | 'int8' | 'sign' }
  /** (Σ of clipped examples + N(0, (multiplier · norm)²)) / B. */
  | { readonly kind: 'dp-sgd'; readonly norm: number; readonly multiplier: number };

/** Clipping looks at each example's gradient; the others at their mean only. */
export const needsExamples = ({ kind }: Defence): boolean => kind === 'clip' || kind === 'dp-sgd';

/** For tables and messages; noise by its variance, never by a "strength". */
export function describeDefence(defence: Defence): string {
  const percent = (value: number): string => `${Number((100 * value).toPrecision(4))} %`;
  switch (defence.kind) {
    case 'none':
      return 'none';
    case 'gaussian':
      return `Gaussian noise, variance ${defence.variance}`;
    case 'laplace':
      return `Laplace noise, variance ${defence.variance}`;
    case 'clip':
      return `clipping to norm ${defence.norm}`;
    case 'prune':
      return `pruning ${percent(defence.fraction)}${defence.scope === 'global' ? ', over all tensors' : ''}`;
    case 'float16':
      return 'float16';
    case 'bfloat16':
      return 'bfloat16';
    case 'int8':
      return 'int8 per tensor';
    case 'sign':
      return 'sign only';
    case 'dp-sgd':
      return `DP-SGD, norm ${defence.norm}, noise multiplier ${defence.multiplier}`;
  }
}

/**
 * What is shared of a batch whose examples have the gradients `examples`; a defence that does not clip may be given the
 * mean alone. `seed` and `step` name the noise. @throws SHAPE_MISMATCH when the examples do not have the same tensors
 */
export function defend(examples: readonly Gradients[], defence: Defence, seed: number, step = 0): Gradients {
  const noise = (name: string): Draw => drawsOf(defence, stream(seed, 'defence', step, name), examples.length);
  switch (defence.kind) {
    case 'none':
      return meanGradients(examples);
    case 'gaussian':
    case 'laplace':
      return mapValues(meanGradients(examples), (values, name) => addDrawn(values, noise(name)));
    case 'clip':
      return meanGradients(examples.map((each) => clipTo(each, defence.norm)));
    case 'dp-sgd': {
      const mean = meanGradients(examples.map((each) => clipTo(each, defence.norm)));
      return mapValues(mean, (values, name) => addDrawn(values, noise(name)));
    }
    case 'prune':
      return prune(meanGradients(examples), defence.fraction, defence.scope);
    case 'float16':
      return mapValues(meanGradients(examples), (values) => values.map(toFloat16));
    case 'bfloat16':
      return mapValues(meanGradients(examples), toBfloat16);
    case 'int8':
      return mapValues(meanGradients(examples), toInt8);
    case 'sign':
      return mapValues(meanGradients(examples), toSigns);
  }
}

/** Variance of the noise on each shared number; 0 without noise. */
export function noiseVariance(defence: Defence, batchSize: number): number {
  if (defence.kind === 'gaussian' || defence.kind === 'laplace') return defence.variance;
  return defence.kind === 'dp-sgd' ? ((defence.multiplier * defence.norm) / batchSize) ** 2 : 0;
}

type Draw = () => number;

function drawsOf(defence: Defence, rng: ReturnType<typeof stream>, batchSize: number): Draw {
  const deviation = Math.sqrt(noiseVariance(defence, batchSize));
  if (defence.kind !== 'laplace') return () => deviation * rng.normal();
  // Scale b of Laplace has variance 2 b².
  const scale = deviation / Math.SQRT2;
  return () => {
    const u = rng.uniform() - 0.5;
    return -scale * Math.sign(u) * Math.log(1 - 2 * Math.abs(u));
  };
}

const addDrawn = (values: Values, draw: Draw): Values => values.map((value) => value + draw());

/** Global L2 norm over all tensors. */
export function gradientNorm(gradients: Gradients): number {
  let sum = 0;
  for (const { data } of Object.values(gradients)) for (const value of data) sum += value * value;
  return Math.sqrt(sum);
}

/** min(1, norm / ‖g‖) · g over all tensors together. */
function clipTo(gradients: Gradients, norm: number): Gradients {
  const own = gradientNorm(gradients);
  if (own <= norm) return gradients;
  return mapValues(gradients, (values) => values.map((value) => (value * norm) / own));
}

/** Sums in float64 in the order given. */
function meanGradients(examples: readonly Gradients[]): Gradients {
  const [first] = examples;
  if (!first) throw new WorkbenchError('SHAPE_MISMATCH', 'A defence needs at least one gradient, got none');
  if (examples.length === 1) return first;
  return mapValues(first, (values, name) => {
    const sum = Float64Array.from(values);
    for (const other of examples.slice(1)) {
      const data = other[name]?.data;
      if (data?.length !== sum.length) {
        throw new WorkbenchError(
          'SHAPE_MISMATCH',
          `Gradient "${name}": expected ${sum.length} numbers in each example, got ${data?.length ?? 'none'}`,
        );
      }
      for (let i = 0; i < sum.length; i++) sum[i]! += data[i]!;
    }
    return Float32Array.from(sum, (value) => value / examples.length);
  });
}

function prune(gradients: Gradients, fraction: number, scope: 'tensor' | 'global'): Gradients {
  const zeroed = (count: number): number => Math.floor(fraction * count);
  if (scope === 'tensor') {
    return mapValues(gradients, (values) => {
      const smallest = orderBySize(values).subarray(0, zeroed(values.length));
      const out = values.slice();
      for (const i of smallest) out[i] = 0;
      return out;
    });
  }
  const names = Object.keys(gradients);
  const all = new Float32Array(names.reduce((sum, name) => sum + sizeOf(gradients[name]!.dims), 0));
  let filled = 0;
  for (const name of names) {
    all.set(gradients[name]!.data, filled);
    filled += gradients[name]!.data.length;
  }
  for (const i of orderBySize(all).subarray(0, zeroed(all.length))) all[i] = 0;
  let taken = 0;
  return mapValues(gradients, (values) => all.slice(taken, (taken += values.length)));
}

/** Positions from the smallest |value| up; equals in their order. */
const orderBySize = (values: Values): Uint32Array =>
  Uint32Array.from(values, (_, i) => i).sort((a, b) => Math.abs(values[a]!) - Math.abs(values[b]!) || a - b);

type Values = Float32Array<ArrayBuffer>;

const mapValues = (gradients: Gradients, change: (values: Values, name: string) => Values): Gradients =>
  Object.fromEntries(
    Object.entries(gradients).map(([name, value]) => [name, { ...value, data: change(value.data, name) }]),
  );
