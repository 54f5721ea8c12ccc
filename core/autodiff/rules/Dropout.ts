import { differentiable } from '../rule.ts';
import { numbersOf, refuse } from './node-parts.ts';

/**
 * Identity at inference. In training Y = X·mask/(1 − ratio); the mask must be an output, since Y does not tell it where X
 * is 0.
 */
export const Dropout = differentiable('Dropout', ({ node, x: [X, ratio, training], y: [, mask], dY: [dY], g }) => {
  if (!X || !dY) return [];
  const flag = training === undefined ? [0] : numbersOf(training);
  if (flag?.[0] === 0) return [dY];
  if (flag === undefined) return refuse(node, 'training_mode must be known before running');
  if (!mask) return refuse(node, 'in training mode it must have its mask as second output');
  const kept = ratio ? g.sub(1, g.cast(ratio, X.dtype)) : g.scalar(0.5, X.dtype);
  return [g.mul(dY, g.div(g.cast(mask, X.dtype), kept))];
});
