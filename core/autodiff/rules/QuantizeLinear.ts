import { straightThrough } from '../rule.ts';
import { alongAxis, rangeOf } from './quantise-parts.ts';

/** Y = saturate(round(X / scale) + zero), straight through: slope 1 / scale where nothing was cut off, as in PyTorch. */
export const QuantizeLinear = straightThrough(
  'QuantizeLinear',
  ({ node, x: [X, scale, zero], y: [Y], dY: [dY], g }) => {
    if (!X || !scale || !Y || !dY) return [];
    const step = alongAxis(g, scale, node, X.shape);
    const [low, high] = rangeOf(Y.dtype);
    const [rounded] = g.op('Round', [g.div(X, step)]);
    if (!rounded) return [];
    const shifted = zero ? g.add(rounded, g.cast(alongAxis(g, zero, node, X.shape), X.dtype)) : rounded;
    const inside = g.and(g.greaterOrEqual(shifted, low), g.lessOrEqual(shifted, high));
    return [g.mul(g.div(dY, step), g.cast(inside, X.dtype))];
  },
);
