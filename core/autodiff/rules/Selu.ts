import { unary } from './unary-parts.ts';

/** Y = gamma·X above 0, else gamma·alpha·(exp X − 1), of slope Y + gamma·alpha, also at 0, as in PyTorch. */
export const Selu = unary('Selu', ({ x, y, dY, g, attr }) => {
  const gamma = attr.float('gamma', 1.0507010221481323);
  const alpha = attr.float('alpha', 1.6732631921768188);
  return g.mul(dY, g.where(g.greater(x, 0), gamma, g.add(y, gamma * alpha)));
});
