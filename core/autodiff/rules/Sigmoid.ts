import { unary } from './unary-parts.ts';

export const Sigmoid = unary('Sigmoid', ({ y, dY, g }) => g.mul(dY, g.mul(y, g.sub(1, y))));
