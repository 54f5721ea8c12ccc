import { emit } from './node-parts.ts';
import { unary } from './unary-parts.ts';

export const Sinh = unary('Sinh', ({ x, dY, g }) => g.mul(dY, emit(g, 'Cosh', [x])));
