import { unary } from './unary-parts.ts';

export const Acos = unary('Acos', ({ x, dY, g }) => g.neg(g.div(dY, g.sqrt(g.sub(1, g.mul(x, x))))));
