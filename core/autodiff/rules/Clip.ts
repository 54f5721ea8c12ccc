import type { Value } from '../emitter.ts';
import { differentiable } from '../rule.ts';

/**
 * Y = min(max(X, low), high). X passes the cotangent inside and at the bounds, as PyTorch's clamp; a bound takes the rest, the
 * high one all of it where it is below the low one. Between the constants 0 and 6 it is what exporters write for ReLU6, which
 * passes nothing at its bounds.
 */
export const Clip = differentiable('Clip', ({ x: [X, low, high], y: [Y], dY: [dY], g, needs }) => {
  if (!X || !Y || !dY) return [];
  if (isConstant(low, 0) && isConstant(high, 6)) {
    const inside = g.and(g.greater(X, low), g.less(X, high));
    return [needs(0) ? g.mul(dY, g.cast(inside, X.dtype)) : undefined];
  }
  const aboveLow = low && g.greaterOrEqual(X, low);
  const belowHigh = high && g.lessOrEqual(X, high);
  // What stayed as it was, is inside: one comparison instead of two.
  const isOrdered = low?.constant && high?.constant && Number(low.constant.data[0]) <= Number(high.constant.data[0]);
  const both = () => (isOrdered ? g.equal(X, Y) : aboveLow && belowHigh && g.and(aboveLow, belowHigh));
  const inside = aboveLow && belowHigh ? both() : (aboveLow ?? belowHigh);
  const total = (isTaken: Value, shape: readonly number[]) =>
    g.sumTo(g.reshape(g.reduceSum(g.mul(dY, g.cast(isTaken, X.dtype))), []), shape);
  const takenLow = () => {
    if (!low || !aboveLow) return undefined;
    const below = g.not(aboveLow);
    return total(high ? g.and(below, g.lessOrEqual(low, high)) : below, low.shape);
  };
  const takenHigh = () => {
    if (!high || !belowHigh) return undefined;
    return total(g.not(low ? g.and(belowHigh, g.lessOrEqual(low, high)) : belowHigh), high.shape);
  };
  return [
    needs(0) ? (inside ? g.mul(dY, g.cast(inside, X.dtype)) : dY) : undefined,
    needs(1) ? takenLow() : undefined,
    needs(2) ? takenHigh() : undefined,
  ];
});

const isConstant = (value: Value | undefined, number: number): value is Value =>
  value?.constant?.data.length === 1 && Number(value.constant.data[0]) === number;
