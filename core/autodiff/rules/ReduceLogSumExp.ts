import { reduction } from './reduce-parts.ts';

/** Its slope is the softmax. */
export const ReduceLogSumExp = reduction('ReduceLogSumExp', ({ x, y, dY, g }) => g.mul(dY, g.exp(g.sub(x, y))));
