import { differentiable } from '../rule.ts';
import { labelGradients } from './label-loss-parts.ts';

/** −Σ w[label]·X[n, label, …]; X are log-probabilities [N, C, …]. */
export const NegativeLogLikelihoodLoss = differentiable('NegativeLogLikelihoodLoss', (context) => {
  const { x, needs } = context;
  const [[X], [dY]] = [x, context.dY];
  const gradients = dY && labelGradients(context, dY);
  if (!X || !gradients) return [];
  return [needs(0) ? gradients.forScores() : undefined, undefined, needs(2) ? gradients.forWeights(X) : undefined];
});
