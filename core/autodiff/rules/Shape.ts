import { zeroGradient } from '../rule.ts';

export const Shape = zeroGradient('Shape', 'depends on the shape alone');
