import { between, unary } from './unary-parts.ts';

/** Y = X·clip(X/6 + ½, 0, 1), of slope 0 up to −3, X/3 + ½ inside, 1 from 3 on, as in PyTorch. */
export const HardSwish = unary('HardSwish', ({ x, dY, g }) => {
  const inside = g.mul(between(g, x, -3, 3), g.add(g.mul(x, 1 / 3), 0.5));
  return g.mul(dY, g.add(inside, g.cast(g.greaterOrEqual(x, 3), x.dtype)));
});
