import { unary } from './unary-parts.ts';

export const Cos = unary('Cos', ({ x, dY, g }) => g.neg(g.mul(dY, g.sin(x))));
