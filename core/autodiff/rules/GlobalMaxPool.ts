import { differentiable } from '../rule.ts';
import { product } from './node-parts.ts';

/** The gradient goes to the first maximum, as in PyTorch's adaptive_max_pool. */
export const GlobalMaxPool = differentiable('GlobalMaxPool', ({ x: [X], dY: [dY], g }) => {
  if (!X || !dY) return [];
  const [n = 1, channels = 1, ...spatial] = X.shape;
  const flat = [n, channels, product(spatial)];
  const first = g.argMax(g.reshape(X, flat), 2, true);
  const placed = g.scatterElements(g.full(flat, 0, X.dtype), first, g.reshape(dY, [n, channels, 1]), 2);
  return [g.reshape(placed, X.shape)];
});
