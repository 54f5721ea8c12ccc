import { unary } from './unary-parts.ts';

/** Y = X above 0, else alpha·(exp(X/alpha) − 1), of slope Y/alpha + 1; 1 at 0 from both sides. */
export const Celu = unary('Celu', ({ x, y, dY, g, attr }) =>
  g.mul(dY, g.where(g.greater(x, 0), 1, g.add(g.div(y, attr.float('alpha', 1)), 1))),
);
