import { above, unary } from './unary-parts.ts';

/** Slope 1 above 0, alpha elsewhere; alpha at 0, as in PyTorch. */
export const LeakyRelu = unary('LeakyRelu', ({ x, dY, g, attr }) => {
  const alpha = attr.float('alpha', 0.01);
  return g.mul(dY, g.add(g.mul(above(g, x), 1 - alpha), alpha));
});
