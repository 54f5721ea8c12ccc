import { unary } from './unary-parts.ts';

export const Atan = unary('Atan', ({ x, dY, g }) => g.div(dY, g.add(g.mul(x, x), 1)));
