import { unary } from './unary-parts.ts';

export const Reciprocal = unary('Reciprocal', ({ y, dY, g }) => g.neg(g.mul(dY, g.mul(y, y))));
