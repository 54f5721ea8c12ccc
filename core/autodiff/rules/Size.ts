import { zeroGradient } from '../rule.ts';

export const Size = zeroGradient('Size', 'depends on the shape alone');
