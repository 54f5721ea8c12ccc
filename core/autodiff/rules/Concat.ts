import { differentiable } from '../rule.ts';
import { fromFront } from './node-parts.ts';

export const Concat = differentiable('Concat', ({ node, x, y: [Y], dY: [dY], g, needs }) => {
  if (!Y || !dY) return [];
  if (x.length === 1) return [dY];
  const axis = fromFront(node.attr.int('axis', 0), Y.shape.length);
  const sizes = x.map((value) => value?.shape[axis] ?? 0);
  let start = 0;
  return sizes.map((size, i) => {
    const from = start;
    start += size;
    return needs(i) ? g.slice(dY, [axis], [from], [from + size]) : undefined;
  });
});
