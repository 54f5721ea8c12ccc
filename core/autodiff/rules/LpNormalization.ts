import { differentiable } from '../rule.ts';

/** Y = X/‖X‖ along the axis, with the 1-norm or the 2-norm; 0 with slope 0 where the norm is 0. */
export const LpNormalization = differentiable('LpNormalization', ({ node, x: [X], y: [Y], dY: [dY], g }) => {
  if (!X || !Y || !dY) return [];
  const axes = [node.attr.int('axis', -1)];
  const order = node.attr.int('p', 2);
  const norm = order === 1 ? g.reduceSum(g.abs(X), axes, true) : g.sqrt(g.reduceSum(g.mul(X, X), axes, true));
  const safe = g.where(g.equal(norm, 0), 1, norm);
  const overlap = g.reduceSum(g.mul(dY, Y), axes, true);
  return [g.div(g.sub(dY, g.mul(order === 1 ? g.sign(X) : Y, overlap)), safe)];
});
