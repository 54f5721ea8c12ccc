import { differentiable } from '../rule.ts';

/** dX = Y·(dY − Σ Y·dY) along the axis. */
export const Softmax = differentiable('Softmax', ({ node, y: [Y], dY: [dY], g }) => {
  if (!Y || !dY) return [];
  const weighted = g.mul(Y, dY);
  return [g.sub(weighted, g.mul(Y, g.reduceSum(weighted, [node.attr.int('axis', -1)], true)))];
});
