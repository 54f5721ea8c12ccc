import { unary } from './unary-parts.ts';

export const Sin = unary('Sin', ({ x, dY, g }) => g.mul(dY, g.cos(x)));
