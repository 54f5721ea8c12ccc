import { differentiable } from '../rule.ts';

/** The cotangents of the values go back to the places that the indices name. */
export const TopK = differentiable('TopK', ({ node, x: [X], y: [, indices], dY: [dY], g }) =>
  X && indices && dY ? [g.scatterElements(g.full(X.shape, 0, X.dtype), indices, dY, node.attr.int('axis', -1))] : [],
);
