import { unary } from './unary-parts.ts';

/** Y = X·t with t = tanh(softplus X), of slope t + X·(1 − t²)·sigmoid X. */
export const Mish = unary('Mish', ({ x, dY, g }) => {
  const t = g.tanh(g.softplus(x));
  return g.mul(dY, g.add(t, g.mul(x, g.mul(g.sub(1, g.mul(t, t)), g.sigmoid(x)))));
});
