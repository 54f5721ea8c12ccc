import { zeroGradient } from '../rule.ts';

export const Xor = zeroGradient('Xor', 'a function of truth values');
