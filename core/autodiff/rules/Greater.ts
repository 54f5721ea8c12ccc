import { zeroGradient } from '../rule.ts';

export const Greater = zeroGradient('Greater', 'a truth value');
