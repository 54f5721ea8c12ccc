import { unary } from './unary-parts.ts';

export const Asinh = unary('Asinh', ({ x, dY, g }) => g.div(dY, g.sqrt(g.add(g.mul(x, x), 1))));
