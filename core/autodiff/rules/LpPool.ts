import { differentiable } from '../rule.ts';
import { multiplyAlong, transposed, windowMatrix } from './matrix-parts.ts';
import { poolWindow } from './pool-parts.ts';
import { powerSlope } from './power-parts.ts';

/** Y = (Σ |X|^p)^(1/p) over windows; the slope in X is sign(X)·(|X|/Y)^(p−1), 0 where Y is 0. */
export const LpPool = differentiable('LpPool', ({ node, x: [X], y: [Y], dY: [dY], g }) => {
  if (!X || !Y || !dY) return [];
  const axes = poolWindow(node, X.shape, Y.shape);
  const { outer, inner } = powerSlope(g, X, Y, node.attr.int('p', 2));
  const spread = axes.reduce(
    (value, axis, i) => multiplyAlong(g, value, i + 2, transposed(windowMatrix(axis, () => 1))),
    outer(dY),
  );
  return [g.mul(spread, inner)];
});
