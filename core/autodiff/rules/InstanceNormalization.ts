import { differentiable } from '../rule.ts';
import { upTo } from './node-parts.ts';
import { standardise, standardisedGradient } from './normalise-parts.ts';

/** X [N, C, …] is standardised over each image and channel, then scaled and shifted by scale, B [C]. */
export const InstanceNormalization = differentiable(
  'InstanceNormalization',
  ({ node, x: [X, scale], dY: [dY], g, needs }) => {
    if (!X || !scale || !dY) return [];
    const spatial = upTo(X.shape.length).slice(2);
    const stats = () => standardise(g, X, spatial, node.attr.float('epsilon', 1e-5));
    const dScale = () => {
      const { centred, rate } = stats();
      return g.reduceSum(g.mul(g.reduceSum(g.mul(dY, centred), spatial, true), rate), [0, ...spatial]);
    };
    const channels = g.reshape(scale, [1, scale.shape[0] ?? 1, ...spatial.map(() => 1)]);
    return [
      needs(0) ? standardisedGradient(g, stats(), g.mul(dY, channels)) : undefined,
      needs(1) ? dScale() : undefined,
      needs(2) ? g.reduceSum(dY, [0, ...spatial]) : undefined,
    ];
  },
);
