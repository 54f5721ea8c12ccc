import { zeroGradient } from '../rule.ts';

export const Equal = zeroGradient('Equal', 'a truth value');
