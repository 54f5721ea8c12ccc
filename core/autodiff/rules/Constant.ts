import { zeroGradient } from '../rule.ts';

export const Constant = zeroGradient('Constant', 'has no input');
