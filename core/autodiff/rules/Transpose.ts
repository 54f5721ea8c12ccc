import { differentiable } from '../rule.ts';
import { upTo } from './node-parts.ts';

export const Transpose = differentiable('Transpose', ({ node, x: [X], dY: [dY], g }) => {
  if (!X || !dY) return [];
  const order = node.attr.ints('perm') ?? upTo(X.shape.length).reverse();
  return [
    g.transpose(
      dY,
      upTo(order.length).map((axis) => order.indexOf(axis)),
    ),
  ];
});
