import { unary } from './unary-parts.ts';

export const Tanh = unary('Tanh', ({ y, dY, g }) => g.mul(dY, g.sub(1, g.mul(y, y))));
