import { float32, sizeOf, type Tensor } from '../base/tensor.ts';
import { type GraphBuilder, sameShape } from './builder.ts';
import type { Value } from './emitter.ts';

/** A batch normalisation by running statistics: (x − mean)/√(variance + epsilon)·scale + bias, [C] each. */
export interface RunningNormalisation {
  readonly scale: Value;
  readonly bias: Value;
  readonly mean: Value;
  readonly variance: Value;
  readonly epsilon: number;
}

/**
 * The normalised output of a convolution as a convolution of scaled kernels, so that neither it nor its derivatives take
 * passes over the images: undefined where `x` is no such output, or where kernels are larger than what they give. The
 * choice does not depend on the batch.
 */
export function normalisedConv(g: GraphBuilder, x: Value, normalisation: RunningNormalisation): Value | undefined {
  const node = g.plainOf(x).producer;
  const [input, weight, own] = node?.inputs ?? [];
  if (node?.op !== 'Conv' || node.domain !== '' || !input || weight?.dtype !== 'float32') return undefined;
  const { scale, bias, mean, variance, epsilon } = normalisation;
  const filters = [weight.shape[0] ?? 0];
  if (![scale, bias, mean, variance, own ?? scale].every(({ shape }) => sameShape(shape, filters))) return undefined;
  const gain = g.mul(scale, g.reciprocal(g.sqrt(g.add(variance, epsilon))));
  const folded = constantProduct(g, weight, gain);
  if (!folded && sizeOf(weight.shape.slice(1)) > imagesAtLeast * sizeOf(x.shape.slice(2))) return undefined;
  const kernels =
    folded ??
    g.mul(
      weight,
      g.reshape(
        gain,
        weight.shape.map((size, axis) => (axis === 0 ? size : 1)),
      ),
    );
  const shift = g.add(g.mul(own ? g.sub(own, mean) : g.neg(mean), gain), bias);
  const [y] = g.op('Conv', [input, kernels, shift], node.attributes, { name: `${node.name}/normalised` });
  return y;
}

/** Batches of gradients have as many images or more. */
const imagesAtLeast = 4;

const products = new WeakMap<GraphBuilder, Map<string, Value>>();

/** Kernels [M, …] times gains [M] where both are known. */
function constantProduct(g: GraphBuilder, weight: Value, gain: Value): Value | undefined {
  const [kernels, gains] = [weight.constant, gain.constant];
  if (!kernels || !gains) return undefined;
  const known = products.get(g) ?? new Map<string, Value>();
  products.set(g, known);
  const key = `${weight.id}/${gain.id}`;
  const value = known.get(key) ?? g.constant(scaled(kernels, gains));
  known.set(key, value);
  return value;
}

function scaled({ dims, data }: Tensor, gains: Tensor): Tensor {
  const size = sizeOf(dims.slice(1));
  const result = new Float32Array(data.length);
  for (let i = 0; i < result.length; i++) result[i] = Number(data[i]!) * Number(gains.data[Math.floor(i / size)]!);
  return float32(dims, result);
}
