import { differentiable } from '../rule.ts';
import { isFloat } from './node-parts.ts';

/** Between floating-point types the gradient is cast back; from and to other types there is none. */
export const Cast = differentiable('Cast', ({ x: [X], dY: [dY], g }) =>
  X && dY && isFloat(X) ? [g.cast(dY, X.dtype)] : [],
);
