import { unary } from './unary-parts.ts';

/** Y = X above 0, else alpha·(exp X − 1), of slope Y + alpha; alpha at 0, as in PyTorch. */
export const Elu = unary('Elu', ({ x, y, dY, g, attr }) =>
  g.mul(dY, g.where(g.greater(x, 0), 1, g.add(y, attr.float('alpha', 1)))),
);
