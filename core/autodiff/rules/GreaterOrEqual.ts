import { zeroGradient } from '../rule.ts';

export const GreaterOrEqual = zeroGradient('GreaterOrEqual', 'a truth value');
