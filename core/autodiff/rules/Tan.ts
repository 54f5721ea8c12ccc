import { unary } from './unary-parts.ts';

export const Tan = unary('Tan', ({ y, dY, g }) => g.mul(dY, g.add(g.mul(y, y), 1)));
