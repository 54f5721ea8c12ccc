import { unary } from './unary-parts.ts';

export const Sqrt = unary('Sqrt', ({ y, dY, g }) => g.div(g.mul(dY, 0.5), y));
