import { differentiable } from '../rule.ts';
import { labelGradient } from './label-loss-parts.ts';

/** NegativeLogLikelihoodLoss of the log-softmax of X over axis 1, which is a second output. */
export const SoftmaxCrossEntropyLoss = differentiable('SoftmaxCrossEntropyLoss', (context) => {
  const { g } = context;
  const [[X], [dY, dLogProb]] = [context.x, context.dY];
  if (!X) return [];
  const terms = [dY && labelGradient(context, dY), dLogProb].flatMap((term) => term ?? []);
  if (terms.length === 0) return [];
  const d = g.sumOf(terms);
  return [g.sub(d, g.mul(g.softmax(X, 1), g.reduceSum(d, [1], true)))];
});
