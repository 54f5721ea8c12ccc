import { differentiable } from '../rule.ts';
import { labelGradients } from './label-loss-parts.ts';

/** NegativeLogLikelihoodLoss of the log-softmax of X over axis 1, which is a second output. */
export const SoftmaxCrossEntropyLoss = differentiable('SoftmaxCrossEntropyLoss', (context) => {
  const { g, needs } = context;
  const [[X], [dY, dLogProb]] = [context.x, context.dY];
  if (!X) return [];
  const gradients = dY && labelGradients(context, dY);
  const dX = () => {
    const terms = [gradients?.forScores(), dLogProb].flatMap((term) => term ?? []);
    if (terms.length === 0) return undefined;
    const d = g.sumOf(terms);
    return g.sub(d, g.mul(g.softmax(X, 1), g.reduceSum(d, [1], true)));
  };
  return [needs(0) ? dX() : undefined, undefined, needs(2) ? gradients?.forWeights(g.logSoftmax(X, 1)) : undefined];
});
