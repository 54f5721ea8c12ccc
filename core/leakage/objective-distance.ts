import { float32, floatsOf, sizeOf, type Tensor } from '../base/tensor.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';

/**
 * How far the gradient of the guess is from the shared one, summed over the layers l with weights w_l:
 * 'l2' Σ w‖g′ − g‖² (Zhu et al. 2019); 'l1' Σ w‖g′ − g‖₁; 'cosine' 1 − Σ w⟨g′, g⟩ / √(Σ w‖g′‖²)√(Σ w‖g‖²) (Geiping et al.
 * 2020, over all layers together); 'cosine-by-layer' the mean over layers of w(1 − cos); 'max' Σ w max|g′ − g| (both in the code
 * of Geiping et al.); 'euclidean' Σ w‖g′ − g‖ (Yin et al. 2021).
 */
export const distanceKinds = ['l2', 'cosine', 'cosine-by-layer', 'l1', 'max', 'euclidean'] as const;
export type DistanceKind = (typeof distanceKinds)[number];

/** Weights of L layers from the first on: all 1; (L, …, 1)/L; or softmax(L, …, 1) over its first. Geiping et al.'s code. */
export const layerWeightKinds = ['equal', 'linear', 'exponential'] as const;
export type LayerWeightKind = (typeof layerWeightKinds)[number];

export interface DistanceOptions {
  readonly kind: DistanceKind;
  /** Default 'equal'. */
  readonly layerWeights?: LayerWeightKind;
  /** Compare only where the shared gradient is not 0: for one that was pruned. Default false. */
  readonly onlyNonZero?: boolean;
}

export interface Compared {
  readonly own: Value;
  readonly shared: Tensor;
}

interface Term extends Compared {
  readonly weight: number;
}

/** Keeps the slope of a root finite at 0. */
const smallest = 1e-20;

/** A scalar; `layers` in the order of the forward pass. */
export function emitDistance(
  g: GraphBuilder,
  layers: readonly Compared[],
  { kind, layerWeights = 'equal', onlyNonZero = false }: DistanceOptions,
): Value {
  const weights = weightsOf(layerWeights, layers.length);
  const terms = layers.map(({ own, shared }, i): Term => {
    const masked = onlyNonZero ? g.mul(own, maskOf(g, shared)) : own;
    return { own: masked, shared, weight: weights[i] ?? 1 };
  });
  const sum = (term: (t: Term) => Value): Value => g.sumOf(terms.map((t) => g.mul(term(t), t.weight)));
  const gap = ({ own, shared }: Term): Value => g.sub(own, g.constant(shared));
  switch (kind) {
    case 'l2':
      return sum((t) => g.reduceSumSquare(gap(t)));
    case 'l1':
      return sum((t) => g.reduceSum(g.abs(gap(t))));
    case 'max':
      return sum((t) => g.reduceMax(g.abs(gap(t))));
    case 'euclidean':
      return sum((t) => g.sqrt(g.add(g.reduceSumSquare(gap(t)), smallest)));
    case 'cosine':
      return unlikeness(g, terms);
    case 'cosine-by-layer':
      return g.div(
        sum((t) => unlikeness(g, [{ ...t, weight: 1 }])),
        layers.length,
      );
  }
}

/** 1 − cos as ½ Σ w(g′/‖g′‖ − g/‖g‖)², which float32 can tell from 0 long after 1 − cos cannot. */
function unlikeness(g: GraphBuilder, terms: readonly Term[]): Value {
  const norm = Math.sqrt(terms.reduce((total, { shared, weight }) => total + weight * squaredNorm(shared), 0));
  if (norm === 0) return g.scalar(1);
  const sum = (term: (t: Term) => Value): Value => g.sumOf(terms.map((t) => g.mul(term(t), t.weight)));
  const scale = g.reciprocal(
    g.sqrt(
      g.add(
        sum(({ own }) => g.reduceSumSquare(own)),
        smallest,
      ),
    ),
  );
  const squares = sum(({ own, shared }) =>
    g.reduceSumSquare(g.sub(g.mul(own, scale), g.constant(dividedBy(shared, norm)))),
  );
  return g.mul(squares, 0.5);
}

function weightsOf(kind: LayerWeightKind, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => {
    if (kind === 'equal') return 1;
    return kind === 'linear' ? (count - i) / count : Math.exp(-i);
  });
}

const dividedBy = (shared: Tensor, divisor: number): Tensor =>
  float32(
    shared.dims,
    floatsOf(shared, 'a shared gradient').map((x) => x / divisor),
  );

const squaredNorm = ({ data }: Tensor): number => {
  let sum = 0;
  for (const x of data) sum += Number(x) ** 2;
  return sum;
};

const maskOf = (g: GraphBuilder, { dims, data }: Tensor): Value =>
  g.constant({
    dtype: 'float32',
    dims,
    data: Float32Array.from({ length: sizeOf(dims) }, (_, i) => (Number(data[i]) === 0 ? 0 : 1)),
  });
