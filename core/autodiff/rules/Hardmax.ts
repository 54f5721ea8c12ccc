import { zeroGradient } from '../rule.ts';

export const Hardmax = zeroGradient('Hardmax', 'piecewise constant');
