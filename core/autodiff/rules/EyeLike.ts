import { zeroGradient } from '../rule.ts';

export const EyeLike = zeroGradient('EyeLike', 'depends on the shape alone');
