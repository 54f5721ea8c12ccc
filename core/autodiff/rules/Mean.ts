import { differentiable } from '../rule.ts';

/** Elementwise mean of the inputs. */
export const Mean = differentiable('Mean', ({ x, dY: [dY], g, needs }) => {
  if (!dY) return [];
  const share = g.mul(dY, 1 / x.length);
  return x.map((value, i) => (value && needs(i) ? g.sumTo(share, value.shape) : undefined));
});
