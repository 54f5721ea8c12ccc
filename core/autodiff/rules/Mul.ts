import { differentiable } from '../rule.ts';

export const Mul = differentiable('Mul', ({ x: [A, B], dY: [dY], g, needs }) => {
  if (!A || !B || !dY) return [];
  return [needs(0) ? g.sumTo(g.mul(dY, B), A.shape) : undefined, needs(1) ? g.sumTo(g.mul(dY, A), B.shape) : undefined];
});
