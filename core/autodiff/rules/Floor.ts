import { zeroGradient } from '../rule.ts';

export const Floor = zeroGradient('Floor', 'piecewise constant');
