import { zeroGradient } from '../rule.ts';

export const Range = zeroGradient('Range', 'its inputs are known before running');
