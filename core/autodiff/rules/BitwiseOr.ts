import { zeroGradient } from '../rule.ts';

export const BitwiseOr = zeroGradient('BitwiseOr', 'a function of integers');
