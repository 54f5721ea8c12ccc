import { unary } from './unary-parts.ts';

export const Neg = unary('Neg', ({ dY, g }) => g.neg(dY));
