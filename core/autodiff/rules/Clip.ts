import { differentiable } from '../rule.ts';

/** Y = min(max(X, low), high). X passes the cotangent inside and at the bounds, as in PyTorch; a bound takes the rest. */
export const Clip = differentiable('Clip', ({ x: [X, low, high], y: [Y], dY: [dY], g, needs }) => {
  if (!X || !Y || !dY) return [];
  const aboveLow = low && g.greaterOrEqual(X, low);
  const belowHigh = high && g.lessOrEqual(X, high);
  // What stayed as it was, is inside: one comparison instead of two.
  const isOrdered = low?.constant && high?.constant && Number(low.constant.data[0]) <= Number(high.constant.data[0]);
  const both = () => (isOrdered ? g.equal(X, Y) : aboveLow && belowHigh && g.and(aboveLow, belowHigh));
  const inside = aboveLow && belowHigh ? both() : (aboveLow ?? belowHigh);
  const outside = (within: typeof inside, shape: readonly number[]) =>
    within && g.sumTo(g.reshape(g.reduceSum(g.mul(dY, g.cast(g.not(within), X.dtype))), []), shape);
  return [
    needs(0) ? (inside ? g.mul(dY, g.cast(inside, X.dtype)) : dY) : undefined,
    low && needs(1) ? outside(aboveLow, low.shape) : undefined,
    high && needs(2) ? outside(belowHigh, high.shape) : undefined,
  ];
});
