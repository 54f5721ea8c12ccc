import { zeroGradient } from '../rule.ts';

export const Or = zeroGradient('Or', 'a function of truth values');
