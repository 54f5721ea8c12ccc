import { differentiable } from '../rule.ts';
import { product } from './node-parts.ts';

export const GlobalAveragePool = differentiable('GlobalAveragePool', ({ x: [X], dY: [dY], g }) =>
  X && dY ? [g.expand(g.mul(dY, 1 / product(X.shape.slice(2))), X.shape)] : [],
);
