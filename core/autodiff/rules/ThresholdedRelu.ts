import { above, unary } from './unary-parts.ts';

/** Y = X where X > alpha, else 0; the slope at alpha is 0, as in PyTorch. */
export const ThresholdedRelu = unary('ThresholdedRelu', ({ x, dY, g, attr }) =>
  g.mul(dY, above(g, x, attr.float('alpha', 1))),
);
