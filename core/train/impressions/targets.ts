import { dirichlet, permutation, stream } from '../../base/rng.ts';

/** How the K classes resemble each other in the last linear layer. */
export interface ClassSimilarity {
  /** cos(w_i, w_j), K rows. */
  readonly cosine: readonly (readonly number[])[];
  /** Each row of `cosine` mapped to [0, 1] by its own minimum and maximum. */
  readonly normalised: readonly (readonly number[])[];
}

/**
 * Class similarity from the templates [K, F] of the last linear layer, bias ignored (zskd.md section 3, steps 1–3). A
 * row whose cosines are all equal (spread < 1e-6) carries no information and becomes uniform ones.
 */
export function classSimilarity(weight: Float32Array, classes: number): ClassSimilarity {
  const features = weight.length / classes;
  const row = (k: number): Float32Array => weight.subarray(k * features, (k + 1) * features);
  const dot = (a: Float32Array, b: Float32Array): number => a.reduce((sum, value, i) => sum + value * b[i]!, 0);
  const norms = Array.from({ length: classes }, (_, k) => Math.sqrt(dot(row(k), row(k))) || 1);
  const cosine = norms.map((a, i) => norms.map((b, j) => (i === j ? 1 : dot(row(i), row(j)) / (a * b))));
  const normalised = cosine.map((values) => {
    const low = Math.min(...values);
    const spread = Math.max(...values) - low;
    return spread < 1e-6 ? values.map(() => 1) : values.map((value) => (value - low) / spread);
  });
  return { cosine, normalised };
}

/** A matrix for targets that do not look at class similarity: every class resembles every other fully. */
export const noSimilarity = (classes: number): ClassSimilarity => {
  const ones = Array.from({ length: classes }, () => 1);
  return { cosine: ones.map(() => ones), normalised: ones.map(() => ones) };
};

export type TargetKind = 'dirichlet' | 'one-hot' | 'uniform' | 'shuffled';

export interface TargetSet {
  /** [count, K] float32, rows sum to 1. */
  readonly targets: Float32Array<ArrayBuffer>;
  /** The class each row was drawn for. */
  readonly classes: Int32Array<ArrayBuffer>;
  /** The Dirichlet scale β of each row; 1 for one-hot. */
  readonly scales: Float32Array<ArrayBuffer>;
}

export interface TargetOptions {
  readonly kind: TargetKind;
  readonly count: number;
  readonly scales: readonly number[];
  readonly seed: number;
}

/** Smallest concentration, as in the released code: keeps the Dirichlet defined where a similarity is 0. */
const EPSILON = 1e-4;

/**
 * Targets y ~ Dir(β·C(k,·) + 1e-4), shared equally among classes and scales and shuffled, so that every batch of
 * impressions has the mixture of the whole (zskd.md section 3, steps 4–5). Row i depends on the options and i alone.
 */
export function sampleTargets(similarity: ClassSimilarity, options: TargetOptions): TargetSet {
  const k = similarity.normalised.length;
  const { count, scales, seed } = options;
  const rows = concentrations(similarity, options);
  const order = permutation(stream(seed, 'target-order'), count);
  const targets = new Float32Array(count * k);
  const classes = new Int32Array(count);
  const usedScales = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const cell = order[i]! % (k * scales.length);
    const target = cell % k;
    const scale = scales[Math.floor(cell / k)]!;
    classes[i] = target;
    usedScales[i] = options.kind === 'one-hot' ? 1 : scale;
    if (options.kind === 'one-hot') targets[i * k + target] = 1;
    else {
      const alpha = rows[target]!.map((value) => scale * value + EPSILON);
      targets.set(dirichlet(stream(seed, 'target', i), alpha), i * k);
    }
  }
  return { targets, classes, scales: usedScales };
}

function concentrations(similarity: ClassSimilarity, { kind, seed }: TargetOptions): readonly (readonly number[])[] {
  const rows = similarity.normalised;
  if (kind === 'uniform') return rows.map((row) => row.map(() => 1));
  if (kind !== 'shuffled') return rows;
  // The diagonal stays: only what the class resembles is exchanged.
  return rows.map((row, k) => {
    const others = row.filter((_, j) => j !== k);
    const order = permutation(stream(seed, 'shuffled-similarity', k), others.length);
    return row.map((value, j) => (j === k ? value : others[order[j > k ? j - 1 : j]!]!));
  });
}

/** Entropy of each row in nats: the floor of the synthesis loss. */
export function rowEntropies(rows: Float32Array, k: number): Float64Array<ArrayBuffer> {
  const result = new Float64Array(rows.length / k);
  for (let i = 0; i < rows.length; i++) {
    const p = rows[i]!;
    if (p > 0) result[Math.floor(i / k)]! -= p * Math.log(p);
  }
  return result;
}
