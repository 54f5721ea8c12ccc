import { reduction } from './reduce-parts.ts';

export const ReduceSumSquare = reduction('ReduceSumSquare', ({ x, dY, g }) => g.mul(x, g.mul(dY, 2)));
