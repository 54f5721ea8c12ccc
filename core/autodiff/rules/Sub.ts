import { differentiable } from '../rule.ts';

export const Sub = differentiable('Sub', ({ x: [A, B], dY: [dY], g, needs }) => {
  if (!A || !B || !dY) return [];
  return [needs(0) ? g.sumTo(dY, A.shape) : undefined, needs(1) ? g.neg(g.sumTo(dY, B.shape)) : undefined];
});
