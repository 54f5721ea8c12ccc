import { zeroGradient } from '../rule.ts';

export const Ceil = zeroGradient('Ceil', 'piecewise constant');
