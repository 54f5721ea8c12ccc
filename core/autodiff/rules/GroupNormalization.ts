import { differentiable } from '../rule.ts';
import { product, upTo } from './node-parts.ts';
import { standardise, standardisedGradient } from './normalise-parts.ts';

/** X [N, C, …] is standardised over each image and group of channels, then scaled and shifted by scale, bias [C]. */
export const GroupNormalization = differentiable(
  'GroupNormalization',
  ({ node, x: [X, scale], dY: [dY], g, needs }) => {
    if (!X || !scale || !dY) return [];
    const [n = 1, channels = 1, ...sizes] = X.shape;
    const groups = node.attr.int('num_groups', 1);
    const grouped = [n, groups, (channels / groups) * product(sizes)];
    const spatial = upTo(X.shape.length).slice(2);
    const stats = () => standardise(g, g.reshape(X, grouped), [2], node.attr.float('epsilon', 1e-5));
    const dX = () => {
      const wide = g.mul(dY, g.reshape(scale, [1, channels, ...spatial.map(() => 1)]));
      const grad = standardisedGradient(g, stats(), g.reshape(wide, grouped));
      return grad && g.reshape(grad, X.shape);
    };
    const dScale = () => {
      const { centred, rate } = stats();
      return g.reduceSum(g.mul(dY, g.reshape(g.mul(centred, rate), X.shape)), [0, ...spatial]);
    };
    return [
      needs(0) ? dX() : undefined,
      needs(1) ? dScale() : undefined,
      needs(2) ? g.reduceSum(dY, [0, ...spatial]) : undefined,
    ];
  },
);
