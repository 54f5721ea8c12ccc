import { unary } from './unary-parts.ts';

export const Atanh = unary('Atanh', ({ x, dY, g }) => g.div(dY, g.sub(1, g.mul(x, x))));
