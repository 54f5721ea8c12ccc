import type { GraphBuilder } from '../builder.ts';
import type { Value } from '../emitter.ts';

/**
 * Slope of Y = (Σ |X|^p)^(1/p) in two factors: `outer` of the size of Y, dY·Y^(1−p), and `inner` of the size of X,
 * sign(X)·|X|^(p−1). Where Y is 0 the first is left at dY, the second is 0.
 */
export function powerSlope(
  g: GraphBuilder,
  x: Value,
  y: Value,
  p: number,
): { outer: (dY: Value) => Value; inner: Value } {
  const safe = g.where(g.equal(y, 0), 1, y);
  if (p === 1) return { outer: (dY) => dY, inner: g.sign(x) };
  if (p === 2) return { outer: (dY) => g.div(dY, safe), inner: x };
  return { outer: (dY) => g.mul(dY, g.pow(safe, 1 - p)), inner: g.mul(g.sign(x), g.pow(g.abs(x), p - 1)) };
}
