import { differentiable } from '../rule.ts';
import { numbersOf, refuse } from './node-parts.ts';

/** Identity at inference. In training Y = X·mask/(1 − ratio), which needs the mask output to be repeated. */
export const Dropout = differentiable('Dropout', ({ node, x: [X, ratio, training], y: [, mask], dY: [dY], g }) => {
  if (!X || !dY) return [];
  const flag = training === undefined ? [0] : numbersOf(training);
  if (flag?.[0] === 0) return [dY];
  const share = ratio === undefined ? [0.5] : numbersOf(ratio);
  if (flag === undefined || share === undefined) return refuse(node, 'ratio and training_mode must be constants');
  if (!mask) return refuse(node, 'in training mode it must have its mask as second output');
  return [g.mul(dY, g.mul(g.cast(mask, X.dtype), 1 / (1 - (share[0] ?? 0))))];
});
