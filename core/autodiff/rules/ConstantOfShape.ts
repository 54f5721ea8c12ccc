import { zeroGradient } from '../rule.ts';

export const ConstantOfShape = zeroGradient('ConstantOfShape', 'depends on the shape alone');
