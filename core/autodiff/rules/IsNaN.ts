import { zeroGradient } from '../rule.ts';

export const IsNaN = zeroGradient('IsNaN', 'a truth value');
