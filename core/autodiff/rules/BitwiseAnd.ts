import { zeroGradient } from '../rule.ts';

export const BitwiseAnd = zeroGradient('BitwiseAnd', 'a function of integers');
