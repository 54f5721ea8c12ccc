import { reduction } from './reduce-parts.ts';

export const ReduceSum = reduction('ReduceSum', ({ x, dY, g }) => g.expand(dY, x.shape));
