import { differentiable } from '../rule.ts';

/** dX = dY − exp(Y)·Σ dY along the axis. */
export const LogSoftmax = differentiable('LogSoftmax', ({ node, y: [Y], dY: [dY], g }) => {
  if (!Y || !dY) return [];
  return [g.sub(dY, g.mul(g.exp(Y), g.reduceSum(dY, [node.attr.int('axis', -1)], true)))];
});
