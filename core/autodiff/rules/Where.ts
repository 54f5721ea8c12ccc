import { differentiable } from '../rule.ts';

export const Where = differentiable('Where', ({ x: [condition, A, B], dY: [dY], g, needs }) => {
  if (!condition || !A || !B || !dY) return [];
  return [
    undefined,
    needs(1) ? g.sumTo(g.where(condition, dY, 0), A.shape) : undefined,
    needs(2) ? g.sumTo(g.where(condition, 0, dY), B.shape) : undefined,
  ];
});
