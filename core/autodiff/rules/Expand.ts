import { differentiable } from '../rule.ts';

export const Expand = differentiable('Expand', ({ x: [X], dY: [dY], g }) => (X && dY ? [g.sumTo(dY, X.shape)] : []));
