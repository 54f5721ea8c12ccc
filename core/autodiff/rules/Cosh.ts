import { emit } from './node-parts.ts';
import { unary } from './unary-parts.ts';

export const Cosh = unary('Cosh', ({ x, dY, g }) => g.mul(dY, emit(g, 'Sinh', [x])));
