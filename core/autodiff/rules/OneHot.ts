import { int } from '../attributes.ts';
import { differentiable } from '../rule.ts';
import { filled } from '../filled.ts';
import { emit } from './node-parts.ts';

/** Only values = [off, on] are differentiable: each gets the cotangents of the places that show it. */
export const OneHot = differentiable('OneHot', ({ node, x: [indices, depth, values], dY: [dY], g }) => {
  if (!indices || !depth || !values || !dY) return [];
  const zeroOne = g.concat([g.constant(filled(dY.dtype, 1, 0)), g.constant(filled(dY.dtype, 1, 1))], 0);
  const hot = emit(g, 'OneHot', [indices, depth, zeroOne], { axis: int(node.attr.int('axis', -1)) });
  const on = g.reshape(g.reduceSum(g.mul(dY, hot)), [1]);
  const off = g.sub(g.reshape(g.reduceSum(dY), [1]), on);
  return [undefined, undefined, g.concat([off, on], 0)];
});
