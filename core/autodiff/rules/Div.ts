import { differentiable } from '../rule.ts';

export const Div = differentiable('Div', ({ x: [A, B], y: [Y], dY: [dY], g, needs }) => {
  if (!A || !B || !Y || !dY) return [];
  const share = g.div(dY, B);
  return [
    needs(0) ? g.sumTo(share, A.shape) : undefined,
    needs(1) ? g.neg(g.sumTo(g.mul(share, Y), B.shape)) : undefined,
  ];
});
