import { differentiable } from '../rule.ts';
import { fromFront } from './node-parts.ts';

/** The parts' cotangents one after the other, zeros for a part that has none. */
export const Split = differentiable('Split', ({ node, x: [X], y, dY, g }) => {
  if (!X) return [];
  const axis = fromFront(node.attr.int('axis', 0), X.shape.length);
  return [
    g.concat(
      y.map((part, i) => dY[i] ?? g.full(part.shape, 0, X.dtype)),
      axis,
    ),
  ];
});
