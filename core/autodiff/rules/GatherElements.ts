import { differentiable } from '../rule.ts';

export const GatherElements = differentiable('GatherElements', ({ node, x: [X, I], dY: [dY], g }) =>
  X && I && dY ? [g.scatterElements(g.full(X.shape, 0, X.dtype), I, dY, node.attr.int('axis', 0), 'add')] : [],
);
