import { zeroGradient } from '../rule.ts';

export const And = zeroGradient('And', 'a function of truth values');
