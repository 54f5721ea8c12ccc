import { unary } from './unary-parts.ts';

export const Log = unary('Log', ({ x, dY, g }) => g.div(dY, x));
