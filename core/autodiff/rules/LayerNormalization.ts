import type { GraphBuilder } from '../builder.ts';
import { NodeAttributes, type Value } from '../emitter.ts';
import { differentiable } from '../rule.ts';
import { fromFront, upTo } from './node-parts.ts';
import { standardise, standardisedGradient } from './normalise-parts.ts';

/** X is standardised over the axes from `axis` on, then scaled and shifted; Mean and InvStdDev are further outputs. */
export const LayerNormalization = differentiable(
  'LayerNormalization',
  ({ node, x: [X, scale, bias], dY, g, needs }) => {
    if (!X || !scale) return [];
    const [d, dMean, dRate] = dY;
    const rank = X.shape.length;
    const axes = upTo(rank).slice(fromFront(node.attr.int('axis', -1), rank));
    const stats = () => standardise(g, X, axes, node.attr.float('epsilon', 1e-5));
    const dX = () => {
      const statistics = stats();
      const { rate } = statistics;
      const cubed = g.mul(rate, g.mul(rate, rate));
      const dVariance = dRate && g.mul(g.mul(g.cast(dRate, X.dtype), cubed), -0.5);
      return standardisedGradient(g, statistics, d && g.mul(d, scale), dMean && g.cast(dMean, X.dtype), dVariance);
    };
    const dScale = (cotangent: NonNullable<typeof d>) => {
      const { centred, rate } = stats();
      return g.sumTo(g.mul(cotangent, g.mul(centred, rate)), scale.shape);
    };
    return [
      needs(0) ? dX() : undefined,
      d && needs(1) ? dScale(d) : undefined,
      d && bias && needs(2) ? g.sumTo(d, bias.shape) : undefined,
    ];
  },
);

/**
 * Y of a LayerNormalization node by the steps that its gradient begins with, too: onnxruntime's own kernel takes as long
 * as eight passes over X. Derivatives are those of the node.
 */
export function openLayerNormalization(g: GraphBuilder, plain: Value): Value {
  const node = plain.producer;
  const [X, scale, bias] = node?.inputs ?? [];
  if (!node || !X || !scale || g.device !== 'cpu' || X.dtype !== 'float32') return plain;
  const attr = new NodeAttributes(node);
  const axes = upTo(X.shape.length).slice(fromFront(attr.int('axis', -1), X.shape.length));
  const { centred, rate } = standardise(g, X, axes, attr.float('epsilon', 1e-5));
  const scaled = g.mul(g.mul(centred, rate), scale);
  const value = bias ? g.add(scaled, bias) : scaled;
  return g.alternative(value, plain, () => value);
}
