import { between, unary } from './unary-parts.ts';

/** Y = clip(alpha·X + beta, 0, 1); the slope at both ends is 0, as in PyTorch. */
export const HardSigmoid = unary('HardSigmoid', ({ y, dY, g, attr }) =>
  g.mul(dY, g.mul(between(g, y, 0, 1), attr.float('alpha', 0.2))),
);
