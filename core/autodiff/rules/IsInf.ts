import { zeroGradient } from '../rule.ts';

export const IsInf = zeroGradient('IsInf', 'a truth value');
