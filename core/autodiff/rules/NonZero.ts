import { zeroGradient } from '../rule.ts';

export const NonZero = zeroGradient('NonZero', 'its input is known before running');
