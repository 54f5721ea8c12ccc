import { zeroGradient } from '../rule.ts';

export const LessOrEqual = zeroGradient('LessOrEqual', 'a truth value');
