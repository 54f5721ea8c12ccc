import { zeroGradient } from '../rule.ts';

export const Sign = zeroGradient('Sign', 'piecewise constant');
