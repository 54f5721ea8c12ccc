/**
 * Seeded random numbers. A stream is named by a seed and a path such as ('batch', epoch) or ('view', step): the same
 * name gives the same numbers whatever was drawn before, so results do not depend on chunk size or interruptions.
 */
export interface Rng {
  /** Uniform 32-bit unsigned integer. */
  uint32(): number;
  /** Uniform in [0, 1) with 53 bits. */
  uniform(): number;
  /** Uniform integer in [0, n). */
  int(n: number): number;
  /** Standard normal (Box–Muller, both values used). */
  normal(): number;
}

export function stream(seed: number, ...path: readonly (string | number)[]): Rng {
  return sfc32(hashPath(seed, path));
}

function hashPath(seed: number, path: readonly (string | number)[]): [number, number, number, number] {
  const state: [number, number, number, number] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 0xdeadbeef];
  const absorb = (word: number): void => {
    for (let i = 0; i < 4; i++) {
      let h = (state[i]! ^ Math.imul(word + i * 0x85ebca6b, 0xcc9e2d51)) >>> 0;
      h = Math.imul(h ^ (h >>> 16), 0x85ebca6b) >>> 0;
      h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35) >>> 0;
      state[i] = (h ^ (h >>> 16) ^ state[(i + 3) & 3]!) >>> 0;
    }
  };
  const absorbNumber = (value: number): void => {
    absorb(value >>> 0);
    absorb(Math.floor(value / 0x100000000) >>> 0);
  };
  absorbNumber(seed);
  for (const part of path) {
    if (typeof part === 'number') {
      absorb(1);
      absorbNumber(part);
    } else {
      absorb(2 + part.length);
      for (let i = 0; i < part.length; i++) absorb(part.charCodeAt(i));
    }
  }
  return state;
}

/** Chris Doty-Humphrey's sfc32 (PractRand): 128 bits of state, period about 2^127. */
function sfc32([a, b, c, counter]: [number, number, number, number]): Rng {
  let spare: number | undefined;
  const uint32 = (): number => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + t) | 0;
    return t >>> 0;
  };
  for (let i = 0; i < 12; i++) uint32();
  const uniform = (): number => ((uint32() >>> 5) * 0x4000000 + (uint32() >>> 6)) / 0x20000000000000;
  const int = (n: number): number => Math.floor(uniform() * n);
  const normal = (): number => {
    if (spare !== undefined) {
      const value = spare;
      spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
    const angle = 2 * Math.PI * uniform();
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
  return { uint32, uniform, int, normal };
}

/** A permutation of 0 … n-1 (Fisher–Yates). */
export function permutation(rng: Rng, n: number): Int32Array<ArrayBuffer> {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = rng.int(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

export function fillUniform(rng: Rng, out: Float32Array, low = 0, high = 1): void {
  for (let i = 0; i < out.length; i++) out[i] = low + (high - low) * rng.uniform();
}

export function fillNormal(rng: Rng, out: Float32Array, mean = 0, standardDeviation = 1): void {
  for (let i = 0; i < out.length; i++) out[i] = mean + standardDeviation * rng.normal();
}

/** log of a Gamma(shape, 1) sample, shape > 0; Marsaglia–Tsang (2000), boosted in log space for shape < 1. */
export function logGammaSample(rng: Rng, shape: number): number {
  if (shape < 1) return logGammaSample(rng, shape + 1) + Math.log(1 - rng.uniform()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = rng.normal();
    const v = (1 + c * x) ** 3;
    if (v <= 0) continue;
    const u = 1 - rng.uniform();
    if (Math.log(u) < 0.5 * x * x + d - d * v + d * Math.log(v)) return Math.log(d) + Math.log(v);
  }
}

/** A Dirichlet(alpha) sample: softmax of log-gamma samples in float64, so that tiny alphas never give 0/0. */
export function dirichlet(rng: Rng, alpha: readonly number[]): Float64Array<ArrayBuffer> {
  const logs = alpha.map((a) => logGammaSample(rng, a));
  const top = Math.max(...logs);
  const sample = Float64Array.from(logs, (value) => Math.exp(value - top));
  const total = sample.reduce((a, b) => a + b, 0);
  return sample.map((value) => value / total);
}
