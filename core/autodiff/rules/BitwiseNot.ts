import { zeroGradient } from '../rule.ts';

export const BitwiseNot = zeroGradient('BitwiseNot', 'a function of integers');
