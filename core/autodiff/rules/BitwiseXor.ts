import { zeroGradient } from '../rule.ts';

export const BitwiseXor = zeroGradient('BitwiseXor', 'a function of integers');
