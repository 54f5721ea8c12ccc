import { zeroGradient } from '../rule.ts';

export const BitShift = zeroGradient('BitShift', 'a function of integers');
