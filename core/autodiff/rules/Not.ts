import { zeroGradient } from '../rule.ts';

export const Not = zeroGradient('Not', 'a function of truth values');
