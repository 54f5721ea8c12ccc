import { differentiable } from '../rule.ts';
import { product } from './node-parts.ts';

/** Y is zeros with X written at the positions I of the flattened Y; windows must not overlap. */
export const MaxUnpool = differentiable('MaxUnpool', ({ x: [X, I], y: [Y], dY: [dY], g }) => {
  if (!X || !I || !Y || !dY) return [];
  const read = g.gatherElements(g.reshape(dY, [product(Y.shape)]), g.reshape(I, [product(X.shape)]), 0);
  return [g.reshape(read, X.shape)];
});
