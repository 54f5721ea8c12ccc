import { unary } from './unary-parts.ts';

/** d erf(x)/dx = 2/√π · exp(−x²). */
export const Erf = unary('Erf', ({ x, dY, g }) => g.mul(dY, g.mul(g.exp(g.neg(g.mul(x, x))), 2 / Math.sqrt(Math.PI))));
