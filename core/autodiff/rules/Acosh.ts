import { unary } from './unary-parts.ts';

export const Acosh = unary('Acosh', ({ x, dY, g }) => g.div(dY, g.sqrt(g.sub(g.mul(x, x), 1))));
