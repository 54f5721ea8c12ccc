import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stream } from '../base/rng.ts';
import { bootstrapMean, bootstrapPairedDifference, wilsonInterval } from './intervals.ts';

const isClose = (actual: number, expected: number, tolerance = 1e-12): void =>
  assert.ok(Math.abs(actual - expected) <= tolerance, `expected ${expected}, got ${actual}`);

describe('the Wilson interval', () => {
  it('of 9 in 10 is 0.596 to 0.982', () => {
    const { low, high } = wilsonInterval(9, 10);
    isClose(low, 0.5958499732047616);
    isClose(high, 0.9821237869049271);
  });

  it('stays in [0, 1] and says nothing without trials', () => {
    isClose(wilsonInterval(0, 20).low, 0);
    isClose(wilsonInterval(20, 20).high, 1);
    assert.deepEqual(wilsonInterval(0, 0), { low: 0, high: 1 });
  });
});

describe('the bootstrap', () => {
  it('of a mean is close to the normal interval for many values', () => {
    const rng = stream(1, 'values');
    const values = Float64Array.from({ length: 400 }, () => 3 + 2 * rng.normal());
    const { mean, low, high } = bootstrapMean(values, stream(2, 'bootstrap'));
    const half = 1.96 * (2 / Math.sqrt(400));
    isClose(mean - low, half, 0.04);
    isClose(high - mean, half, 0.04);
  });

  it('repeats from a seed', () => {
    assert.deepEqual(bootstrapMean([1, 2, 5], stream(3)), bootstrapMean([1, 2, 5], stream(3)));
  });

  it('of paired differences removes what the pairs share', () => {
    const a = [0.9, 0.5, 0.7];
    const b = [0.8, 0.4, 0.6];
    const { mean, low, high } = bootstrapPairedDifference(a, b, stream(1));
    for (const value of [mean, low, high]) isClose(value, 0.1);
    assert.throws(() => bootstrapPairedDifference([1], [1, 2], stream(1)), { code: 'SHAPE_MISMATCH' });
    assert.throws(() => bootstrapMean([], stream(1)), { code: 'SHAPE_MISMATCH' });
  });
});
