import { zeroGradient } from '../rule.ts';

export const ArgMin = zeroGradient('ArgMin', 'an index, piecewise constant');
