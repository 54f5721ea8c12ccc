import { zeroGradient } from '../rule.ts';

export const Less = zeroGradient('Less', 'a truth value');
