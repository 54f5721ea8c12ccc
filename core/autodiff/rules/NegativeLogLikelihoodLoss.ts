import { differentiable } from '../rule.ts';
import { labelGradient } from './label-loss-parts.ts';

/** −Σ w[label]·X[n, label, …]; X are log-probabilities [N, C, …]. */
export const NegativeLogLikelihoodLoss = differentiable('NegativeLogLikelihoodLoss', (context) => {
  const [dY] = context.dY;
  return dY ? [labelGradient(context, dY)] : [];
});
