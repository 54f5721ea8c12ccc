import { differentiable } from '../rule.ts';
import { powerSlope } from './power-parts.ts';

/** As LpPool, over the whole of each channel. */
export const GlobalLpPool = differentiable('GlobalLpPool', ({ node, x: [X], y: [Y], dY: [dY], g }) => {
  if (!X || !Y || !dY) return [];
  const { outer, inner } = powerSlope(g, X, Y, node.attr.int('p', 2));
  return [g.mul(inner, outer(dY))];
});
