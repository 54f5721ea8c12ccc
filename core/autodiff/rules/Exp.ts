import { unary } from './unary-parts.ts';

export const Exp = unary('Exp', ({ y, dY, g }) => g.mul(dY, y));
