import { unary } from './unary-parts.ts';

/** Y = X / (1 + |X|), of slope 1 / (1 + |X|)². */
export const Softsign = unary('Softsign', ({ x, dY, g }) => {
  const denominator = g.add(g.abs(x), 1);
  return g.div(dY, g.mul(denominator, denominator));
});
