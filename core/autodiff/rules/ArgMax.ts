import { zeroGradient } from '../rule.ts';

export const ArgMax = zeroGradient('ArgMax', 'an index, piecewise constant');
