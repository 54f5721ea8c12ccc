import { reduction } from './reduce-parts.ts';

/** √Σx², of slope x/√Σx²; 0 where the norm is 0, as in PyTorch. */
export const ReduceL2 = reduction('ReduceL2', ({ x, y, dY, g }) => g.mul(x, g.div(dY, g.where(g.equal(y, 0), 1, y))));
