import { zeroGradient } from '../rule.ts';

export const Round = zeroGradient('Round', 'piecewise constant');
