import { unary } from './unary-parts.ts';

/** Y = X + bias below −lambd, X − bias above lambd, else 0; the slope at ±lambd is 0, as in PyTorch. */
export const Shrink = unary('Shrink', ({ x, dY, g, attr }) =>
  g.mul(dY, g.cast(g.greater(g.abs(x), attr.float('lambd', 0.5)), x.dtype)),
);
