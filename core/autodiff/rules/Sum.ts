import { differentiable } from '../rule.ts';

export const Sum = differentiable('Sum', ({ x, dY: [dY], g, needs }) =>
  x.map((value, i) => (value && dY && needs(i) ? g.sumTo(dY, value.shape) : undefined)),
);
