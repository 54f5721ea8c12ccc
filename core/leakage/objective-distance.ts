import { sizeOf, type Tensor } from '../base/tensor.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';

/**
 * How far the gradient of the guess is from the shared one, summed over the layers l with weights w_l:
 * 'l2' Σ w‖g′ − g‖² (Zhu et al. 2019); 'l1' Σ w‖g′ − g‖₁; 'cosine' 1 − Σ w⟨g′, g⟩ / √(Σ w‖g′‖²)√(Σ w‖g‖²) (Geiping et al.
 * 2020, over all layers together); 'cosine-by-layer' the mean over layers of w(1 − cos); 'euclidean' Σ w‖g′ − g‖ (Yin et al.
 * 2021).
 */
export const distanceKinds = ['l2', 'cosine', 'cosine-by-layer', 'l1', 'euclidean'] as const;
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

/** Keeps the slope of a root finite at 0. */
const smallest = 1e-20;

/** A scalar; `layers` in the order of the forward pass. */
export function emitDistance(
  g: GraphBuilder,
  layers: readonly Compared[],
  { kind, layerWeights = 'equal', onlyNonZero = false }: DistanceOptions,
): Value {
  const weights = weightsOf(layerWeights, layers.length);
  const terms = layers.map(({ own, shared }, i) => {
    const masked = onlyNonZero ? g.mul(own, maskOf(g, shared)) : own;
    return { own: masked, shared: g.constant(shared), tensor: shared, weight: weights[i] ?? 1 };
  });
  const sum = (term: (t: (typeof terms)[number]) => Value): Value =>
    g.sumOf(terms.map((t) => g.mul(term(t), t.weight)));
  switch (kind) {
    case 'l2':
      return sum((t) => g.reduceSumSquare(g.sub(t.own, t.shared)));
    case 'l1':
      return sum((t) => g.reduceSum(g.abs(g.sub(t.own, t.shared))));
    case 'euclidean':
      return sum((t) => g.sqrt(g.add(g.reduceSumSquare(g.sub(t.own, t.shared)), smallest)));
    case 'cosine': {
      const norm = Math.sqrt(terms.reduce((total, t) => total + t.weight * squaredNorm(t.tensor), 0));
      const product = sum((t) => g.reduceSum(g.mul(t.own, t.shared)));
      const length = g.sqrt(
        g.add(
          sum((t) => g.reduceSumSquare(t.own)),
          smallest,
        ),
      );
      return g.sub(1, g.div(product, g.mul(length, norm)));
    }
    case 'cosine-by-layer': {
      const cosine = (t: (typeof terms)[number]): Value => {
        const length = g.sqrt(g.add(g.reduceSumSquare(t.own), smallest));
        const norm = Math.max(Math.sqrt(squaredNorm(t.tensor)), Math.sqrt(smallest));
        return g.div(g.reduceSum(g.mul(t.own, t.shared)), g.mul(length, norm));
      };
      return g.div(
        sum((t) => g.sub(1, cosine(t))),
        layers.length,
      );
    }
  }
}

function weightsOf(kind: LayerWeightKind, count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => {
    if (kind === 'equal') return 1;
    return kind === 'linear' ? (count - i) / count : Math.exp(-i);
  });
}

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
