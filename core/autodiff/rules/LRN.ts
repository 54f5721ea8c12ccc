import { differentiable } from '../rule.ts';
import { bandMatrix, multiplyAlong } from './matrix-parts.ts';

/**
 * Y = X·S^−beta with S = bias + alpha/size·Σ x² over `size` neighbouring channels, ⌊(size − 1)/2⌋ of them before.
 * dX = dY·S^−beta − 2·alpha·beta/size·X·Σ' dY·X·S^(−beta−1), where Σ' runs over the windows that hold the channel.
 */
export const LRN = differentiable('LRN', ({ node, x: [X], dY: [dY], g }) => {
  if (!X || !dY) return [];
  const size = node.attr.int('size', 1);
  const [alpha, beta] = [node.attr.float('alpha', 1e-4), node.attr.float('beta', 0.75)];
  const channels = X.shape[1] ?? 1;
  const before = Math.floor((size - 1) / 2);
  const window = bandMatrix(channels, before, size - 1 - before);
  const sum = g.add(g.mul(multiplyAlong(g, g.mul(X, X), 1, window), alpha / size), node.attr.float('bias', 1));
  const power = g.pow(sum, -beta);
  const pulled = multiplyAlong(
    g,
    g.mul(dY, g.mul(X, g.div(power, sum))),
    1,
    bandMatrix(channels, size - 1 - before, before),
  );
  return [g.sub(g.mul(dY, power), g.mul(X, g.mul(pulled, (2 * alpha * beta) / size)))];
});
