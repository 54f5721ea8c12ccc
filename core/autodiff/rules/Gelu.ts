import { unary } from './unary-parts.ts';

/**
 * Y = X·Φ(X), of slope Φ(X) + X·φ(X), with Φ and φ of the standard normal distribution; with approximate = tanh,
 * Φ is ½(1 + tanh(√(2/π)·(X + 0.044715·X³))).
 */
export const Gelu = unary('Gelu', ({ x, dY, g, attr }) => {
  if (attr.string('approximate', 'none') === 'tanh') {
    const c = Math.sqrt(2 / Math.PI);
    const squared = g.mul(x, x);
    const t = g.tanh(g.mul(x, g.add(g.mul(squared, 0.044715 * c), c)));
    const dt = g.mul(g.sub(1, g.mul(t, t)), g.add(g.mul(squared, 3 * 0.044715 * c), c));
    return g.mul(dY, g.mul(g.add(g.add(t, 1), g.mul(x, dt)), 0.5));
  }
  const cumulative = g.mul(g.add(g.erf(g.mul(x, Math.SQRT1_2)), 1), 0.5);
  const density = g.mul(g.exp(g.mul(g.mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return g.mul(dY, g.add(cumulative, g.mul(x, density)));
});
