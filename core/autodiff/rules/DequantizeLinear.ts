import { straightThrough } from '../rule.ts';
import { alongAxis } from './quantise-parts.ts';

/** Y = (X − zero) · scale. X is an integer; its cotangent is a real number all the same, for QuantizeLinear before it. */
export const DequantizeLinear = straightThrough('DequantizeLinear', ({ node, x: [X, scale], dY: [dY], g }) =>
  X && scale && dY ? [g.mul(dY, alongAxis(g, scale, node, X.shape))] : [],
);
