import { reduction } from './reduce-parts.ts';

export const ReduceMean = reduction('ReduceMean', ({ x, dY, g, count }) => g.expand(g.mul(dY, 1 / count), x.shape));
