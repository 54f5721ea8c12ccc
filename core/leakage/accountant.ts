import { WorkbenchError } from '../base/errors.ts';

/** A training by DP-SGD as its privacy is counted. */
export interface PrivateTraining {
  /** q: each example enters a batch with this probability, independently. */
  readonly samplingRate: number;
  /** σ: deviation of the noise on the sum, over the clipping norm. */
  readonly multiplier: number;
  /** T. */
  readonly steps: number;
  readonly delta: number;
}

export interface PrivacySpent {
  /** Infinity without noise. */
  readonly epsilon: number;
  /** The Rényi order that gave it. */
  readonly order: number;
}

/** As far as the bound is worth looking at: small ε wants large orders. */
const orders: readonly number[] = [
  ...Array.from({ length: 127 }, (_, i) => i + 2),
  160,
  192,
  256,
  320,
  384,
  512,
  640,
  768,
  1024,
];

/**
 * (ε, δ) of DP-SGD with Poisson sampling, neighbours by adding or removing one example. Rényi divergence of the sampled
 * Gaussian mechanism at integer orders (Mironov, Talwar, Zhang 2019, eq. 3 and section 3.3), times T, turned into ε by
 * Canonne, Kamath, Steinke 2020, proposition 12. An upper bound.
 */
export function privacySpent({ samplingRate, multiplier, steps, delta }: PrivateTraining): PrivacySpent {
  const valid = samplingRate >= 0 && samplingRate <= 1 && multiplier >= 0 && steps >= 0 && delta > 0 && delta < 1;
  if (!valid) {
    throw new WorkbenchError(
      'PARAM_INVALID',
      `Privacy accountant: expected a sampling rate from 0 to 1, a noise multiplier and steps from 0, δ between 0 and 1; got ${samplingRate}, ${multiplier}, ${steps}, ${delta}`,
    );
  }
  if (steps === 0 || samplingRate === 0) return { epsilon: 0, order: orders.at(-1) ?? 2 };
  if (multiplier === 0) return { epsilon: Infinity, order: 2 };
  let best: PrivacySpent = { epsilon: Infinity, order: 2 };
  for (const order of orders) {
    const renyi = steps * sampledGaussian(order, samplingRate, multiplier);
    const epsilon = renyi + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1);
    if (epsilon < best.epsilon) best = { epsilon: Math.max(0, epsilon), order };
  }
  return best;
}

/** Rényi divergence of one step at the integer order α: log Σ_k C(α, k) (1−q)^{α−k} q^k exp((k² − k) / 2σ²) / (α − 1). */
function sampledGaussian(order: number, rate: number, multiplier: number): number {
  if (rate === 1) return order / (2 * multiplier * multiplier);
  let logChoose = 0;
  const terms = Array.from({ length: order + 1 }, (_, k) => {
    if (k > 0) logChoose += Math.log(order - k + 1) - Math.log(k);
    return (
      logChoose + (order - k) * Math.log1p(-rate) + k * Math.log(rate) + (k * k - k) / (2 * multiplier * multiplier)
    );
  });
  const top = Math.max(...terms);
  const total = top + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - top), 0));
  // The sum is at least 1; rounding may say otherwise.
  return Math.max(0, total) / (order - 1);
}
