import { unary } from './unary-parts.ts';

/** The slope at 0 is 0, as in PyTorch. */
export const Abs = unary('Abs', ({ x, dY, g }) => g.mul(dY, g.sign(x)));
