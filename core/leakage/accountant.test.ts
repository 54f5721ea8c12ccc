import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { privacySpent } from './accountant.ts';

describe('the privacy accountant', () => {
  it('is the Gaussian mechanism where every example is in every batch', () => {
    // ρ = T α / 2σ²; the least of ρ + log(1 − 1/α) − (log δ + log α)/(α − 1) over whole α.
    const { epsilon, order } = privacySpent({ samplingRate: 1, multiplier: 4, steps: 1, delta: 1e-5 });
    const bound = (a: number): number => a / 32 + Math.log(1 - 1 / a) - (Math.log(1e-5) + Math.log(a)) / (a - 1);
    const best = Math.min(...Array.from({ length: 127 }, (_, i) => bound(i + 2)));
    assert.ok(Math.abs(epsilon - best) < 1e-12);
    assert.ok(Math.abs(bound(order) - best) < 1e-12);
  });
  it('is the Rényi divergence of the sampled mechanism, integrated numerically', () => {
    const [q, sigma, steps, delta] = [256 / 60_000, 1.1, 14_062, 1e-5];
    // E over N(0, σ²) of (1 − q + q exp((2x − 1)/2σ²))^α.
    const moment = (a: number): number => {
      const h = 1e-3;
      let sum = 0;
      for (let x = -30; x < 60; x += h) {
        const ratio = 1 - q + q * Math.exp((2 * x - 1) / (2 * sigma * sigma));
        sum += Math.exp(a * Math.log(ratio) - (x * x) / (2 * sigma * sigma));
      }
      return (sum * h) / (sigma * Math.sqrt(2 * Math.PI));
    };
    const bound = (a: number): number =>
      (steps * Math.log(moment(a))) / (a - 1) + Math.log(1 - 1 / a) - (Math.log(delta) + Math.log(a)) / (a - 1);
    const best = Math.min(...Array.from({ length: 14 }, (_, i) => bound(i + 2)));
    const { epsilon } = privacySpent({ samplingRate: q, multiplier: sigma, steps, delta });
    assert.ok(Math.abs(epsilon - best) < 1e-6, `${epsilon} against ${best}`);
  });
  it('grows with steps and sampling, falls with noise and δ', () => {
    const base = { samplingRate: 0.01, multiplier: 1, steps: 1000, delta: 1e-5 };
    const of = (change: Partial<typeof base>): number => privacySpent({ ...base, ...change }).epsilon;
    assert.ok(of({ steps: 2000 }) > of({}) && of({ samplingRate: 0.02 }) > of({}));
    assert.ok(of({ multiplier: 2 }) < of({}) && of({ delta: 1e-3 }) < of({}));
  });
  it('says infinite without noise and nothing spent without a step', () => {
    const base = { samplingRate: 0.01, multiplier: 1, steps: 10, delta: 1e-5 };
    assert.equal(privacySpent({ ...base, multiplier: 0 }).epsilon, Infinity);
    assert.equal(privacySpent({ ...base, steps: 0 }).epsilon, 0);
    assert.throws(() => privacySpent({ ...base, samplingRate: 1.5 }), { code: 'PARAM_INVALID' });
  });
});
