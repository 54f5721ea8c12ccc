import { float32, sizeOf, type FloatTensor } from '../base/tensor.ts';
import { fillNormal, fillUniform, stream, type Rng } from '../base/rng.ts';

/** Fills a parameter of the given shape. Weights are [out, in / group, k…] of a Conv or [out, in] of a linear layer. */
export type Initialiser = (dims: readonly number[], rng: Rng) => Float32Array<ArrayBuffer>;

/** The initial value of one parameter: depends on the seed and the parameter's name only. */
export function initialise(seed: number, name: string, dims: readonly number[], initialiser: Initialiser): FloatTensor {
  return float32(dims, initialiser(dims, stream(seed, 'init', name)));
}

/** Numbers of inputs and outputs that one unit sees: in · taps and out · taps. */
export function fans(dims: readonly number[]): { readonly fanIn: number; readonly fanOut: number } {
  const [out = 1, into = 1, ...kernel] = dims;
  const taps = sizeOf(kernel);
  return { fanIn: into * taps, fanOut: out * taps };
}

export const constant =
  (value: number): Initialiser =>
  (dims) =>
    new Float32Array(sizeOf(dims)).fill(value);

/** U(low, high). */
export const uniform =
  (low: number, high: number): Initialiser =>
  (dims, rng) => {
    const data = new Float32Array(sizeOf(dims));
    fillUniform(rng, data, low, high);
    return data;
  };

/** N(mean, standardDeviation²). */
export const normal =
  (standardDeviation: number, mean = 0): Initialiser =>
  (dims, rng) => {
    const data = new Float32Array(sizeOf(dims));
    fillNormal(rng, data, mean, standardDeviation);
    return data;
  };

/** N(mean, standardDeviation²) with samples outside `bound` standard deviations drawn again. */
export const truncatedNormal =
  (standardDeviation: number, mean = 0, bound = 2): Initialiser =>
  (dims, rng) => {
    const data = new Float32Array(sizeOf(dims));
    for (let i = 0; i < data.length; i++) {
      let sample = rng.normal();
      while (Math.abs(sample) > bound) sample = rng.normal();
      data[i] = mean + standardDeviation * sample;
    }
    return data;
  };

export interface KaimingOptions {
  /** √2 for ReLU, 1 for a linear unit. */
  readonly gain?: number;
  /** 'in' keeps the variance of activations, 'out' that of gradients. */
  readonly fan?: 'in' | 'out';
}

const fanOf = (dims: readonly number[], fan: 'in' | 'out' = 'in'): number =>
  fan === 'in' ? fans(dims).fanIn : fans(dims).fanOut;

/** U(±gain·√(3 / fan)); He et al. 2015, "Delving deep into rectifiers". */
export const kaimingUniform =
  ({ gain = Math.SQRT2, fan }: KaimingOptions = {}): Initialiser =>
  (dims, rng) => {
    const bound = gain * Math.sqrt(3 / fanOf(dims, fan));
    return uniform(-bound, bound)(dims, rng);
  };

/** N(0, gain² / fan); He et al. 2015. */
export const kaimingNormal =
  ({ gain = Math.SQRT2, fan }: KaimingOptions = {}): Initialiser =>
  (dims, rng) =>
    normal(gain / Math.sqrt(fanOf(dims, fan)))(dims, rng);

/** U(±gain·√(6 / (fanIn + fanOut))); Glorot and Bengio 2010. */
export const xavierUniform =
  (gain = 1): Initialiser =>
  (dims, rng) => {
    const { fanIn, fanOut } = fans(dims);
    const bound = gain * Math.sqrt(6 / (fanIn + fanOut));
    return uniform(-bound, bound)(dims, rng);
  };

/** N(0, 2·gain² / (fanIn + fanOut)); Glorot and Bengio 2010. */
export const xavierNormal =
  (gain = 1): Initialiser =>
  (dims, rng) => {
    const { fanIn, fanOut } = fans(dims);
    return normal(gain * Math.sqrt(2 / (fanIn + fanOut)))(dims, rng);
  };

/** What PyTorch gives Linear and Conv weights when nothing is said: Kaiming uniform with a = √5, that is U(±1/√fanIn). */
export const torchDefaultWeight: Initialiser = kaimingUniform({ gain: Math.sqrt(1 / 3) });

/** PyTorch's default bias of a layer whose weight has shape `weightDims`: U(±1/√fanIn). */
export const torchDefaultBias = (weightDims: readonly number[]): Initialiser => {
  const bound = 1 / Math.sqrt(fans(weightDims).fanIn);
  return uniform(-bound, bound);
};
