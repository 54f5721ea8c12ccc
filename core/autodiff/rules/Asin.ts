import { unary } from './unary-parts.ts';

export const Asin = unary('Asin', ({ x, dY, g }) => g.div(dY, g.sqrt(g.sub(1, g.mul(x, x)))));
