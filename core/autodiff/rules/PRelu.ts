import { differentiable } from '../rule.ts';
import { above } from './unary-parts.ts';

/** Y = X above 0, else slope·X; the slope applies at 0, as in PyTorch. `slope` broadcasts to X. */
export const PRelu = differentiable('PRelu', ({ x: [X, slope], dY: [dY], g, needs }) => {
  if (!X || !slope || !dY) return [];
  const positive = above(g, X);
  const negative = g.sub(1, positive);
  return [
    needs(0) ? g.mul(dY, g.add(positive, g.mul(negative, slope))) : undefined,
    needs(1) ? g.sumTo(g.mul(dY, g.mul(X, negative)), slope.shape) : undefined,
  ];
});
