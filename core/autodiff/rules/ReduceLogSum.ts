import { reduction } from './reduce-parts.ts';

export const ReduceLogSum = reduction('ReduceLogSum', ({ x, y, dY, g }) =>
  g.expand(g.mul(dY, g.exp(g.neg(y))), x.shape),
);
