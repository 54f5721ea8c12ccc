import { differentiable } from '../rule.ts';
import { isFloat } from './node-parts.ts';

/** As Cast; the second input gives only its type. */
export const CastLike = differentiable('CastLike', ({ x: [X], dY: [dY], g }) =>
  X && dY && isFloat(X) ? [g.cast(dY, X.dtype)] : [],
);
