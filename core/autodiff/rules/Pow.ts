import { differentiable } from '../rule.ts';
import { isFloat, numbersOf } from './node-parts.ts';

/**
 * Y = X^E. dX = dY·E·X^(E−1), 0 where E is 0; dE = dY·Y·ln X, 0 where X is 0 and E not negative, as in PyTorch. The
 * common constant exponents need no power.
 */
export const Pow = differentiable('Pow', ({ x: [X, E], y: [Y], dY: [dY], g, needs }) => {
  if (!X || !E || !Y || !dY) return [];
  const base = () => {
    const exponents = numbersOf(E);
    const [e] = exponents ?? [];
    if (exponents?.length === 1 && e !== undefined) {
      if (e === 0) return undefined;
      if (e === 1) return g.sumTo(dY, X.shape);
      if (e === 2) return g.sumTo(g.mul(dY, g.mul(X, 2)), X.shape);
      return g.sumTo(g.mul(dY, g.mul(g.pow(X, e - 1), e)), X.shape);
    }
    const exponent = g.cast(E, X.dtype);
    const zero = g.equal(exponent, 0);
    const power = g.mul(exponent, g.pow(X, g.where(zero, 1, g.sub(exponent, 1))));
    return g.sumTo(g.where(zero, 0, g.mul(dY, power)), X.shape);
  };
  const exponent = () => {
    const flat = g.and(g.equal(X, 0), g.cast(g.greaterOrEqual(g.cast(E, X.dtype), 0), 'bool'));
    const slope = g.mul(Y, g.log(g.where(flat, 1, X)));
    return g.cast(g.sumTo(g.mul(dY, slope), E.shape), E.dtype);
  };
  return [needs(0) ? base() : undefined, needs(1) && isFloat(E) ? exponent() : undefined];
});
