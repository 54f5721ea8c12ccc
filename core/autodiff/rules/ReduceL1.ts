import { reduction } from './reduce-parts.ts';

/** Σ|x|; the slope at 0 is 0, as in PyTorch. */
export const ReduceL1 = reduction('ReduceL1', ({ x, dY, g }) => g.mul(dY, g.sign(x)));
