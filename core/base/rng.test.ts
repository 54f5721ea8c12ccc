import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dirichlet, fillNormal, fillUniform, logGammaSample, permutation, stream } from './rng.ts';

const draws = (count: number, next: () => number): number[] => Array.from({ length: count }, next);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;
const variance = (values: readonly number[]): number => {
  const centre = mean(values);
  return mean(values.map((value) => (value - centre) ** 2));
};
/** Standard error of a mean of `count` values of this variance. */
const standardError = (spread: number, count: number): number => Math.sqrt(spread / count);

describe('a random stream', () => {
  it('gives the same numbers for the same name, whatever was drawn before', () => {
    const expected = draws(5, stream(3, 'view', 7).uniform);
    const other = stream(3, 'view', 6);
    draws(100, other.normal);
    assert.deepEqual(draws(5, stream(3, 'view', 7).uniform), expected);
  });

  it('differs when the seed or any part of the path differs', () => {
    const names: [number, ...(string | number)[]][] = [
      [0],
      [1],
      [2 ** 32],
      [0, 'a'],
      [0, 'b'],
      [0, 'ab'],
      [0, 'a', 'b'],
      [0, 'ba'],
      [0, 0],
      [0, 0, 0],
      [0, '0'],
      [0, 1, 0],
      [0, 0, 1],
      [0, 2 ** 32],
      [0, -1],
      [0, '', 1],
    ];
    const firsts = names.map(([seed, ...path]) => stream(seed, ...path).uint32());
    assert.equal(new Set(firsts).size, names.length);
  });

  it('has first numbers over neighbouring names that look independent', () => {
    const count = 20_000;
    const firsts = draws(
      count,
      (
        (step = 0) =>
        () =>
          stream(1, 'initial', step++).uniform()
      )(),
    );
    assert.ok(Math.abs(mean(firsts) - 0.5) < 4 * standardError(1 / 12, count));
    assert.ok(Math.abs(variance(firsts) - 1 / 12) < 4 * standardError(1 / 180, count));
    const products = firsts.slice(1).map((value, i) => (value - 0.5) * (firsts[i]! - 0.5));
    assert.ok(Math.abs(mean(products)) < 4 * standardError(1 / 144, count));
  });

  it('fills every bit of 32 about half of the time', () => {
    const rng = stream(5, 'bits');
    const ones = new Int32Array(32);
    const count = 4000;
    for (let i = 0; i < count; i++) {
      const word = rng.uint32();
      assert.ok(Number.isInteger(word) && word >= 0 && word < 2 ** 32);
      for (let bit = 0; bit < 32; bit++) ones[bit]! += (word >>> bit) & 1;
    }
    for (const found of ones) assert.ok(Math.abs(found / count - 0.5) < 5 * standardError(1 / 4, count));
  });

  it('draws uniform numbers in [0, 1) with the moments of the distribution', () => {
    const values = draws(20_000, stream(2, 'uniform').uniform);
    assert.ok(values.every((value) => value >= 0 && value < 1));
    assert.ok(Math.abs(mean(values) - 0.5) < 4 * standardError(1 / 12, values.length));
    assert.ok(Math.abs(variance(values) - 1 / 12) < 4 * standardError(1 / 180, values.length));
  });

  it('draws normal numbers with the moments of the distribution', () => {
    const values = draws(20_001, stream(2, 'normal').normal);
    assert.ok(Math.abs(mean(values)) < 4 * standardError(1, values.length));
    assert.ok(Math.abs(variance(values) - 1) < 4 * standardError(2, values.length));
    const fourth = mean(values.map((value) => value ** 4));
    assert.ok(Math.abs(fourth - 3) < 4 * standardError(96, values.length));
  });

  it('draws whole numbers below n, each about as often', () => {
    const rng = stream(4, 'int');
    const counts = new Int32Array(7);
    for (let i = 0; i < 7000; i++) counts[rng.int(7)]!++;
    for (const count of counts) assert.ok(Math.abs(count - 1000) < 4 * Math.sqrt(1000 * (6 / 7)), `${count}`);
  });

  it('fills arrays within the range, or with the mean and deviation, that is asked for', () => {
    const uniform = new Float32Array(5000);
    fillUniform(stream(1, 'fill'), uniform, -2, 4);
    assert.ok(uniform.every((value) => value >= -2 && value <= 4));
    assert.ok(Math.abs(mean([...uniform]) - 1) < 4 * standardError(3, uniform.length));
    const normal = new Float32Array(5000);
    fillNormal(stream(1, 'fill'), normal, 3, 0.5);
    assert.ok(Math.abs(mean([...normal]) - 3) < 4 * standardError(0.25, normal.length));
    assert.ok(Math.abs(variance([...normal]) - 0.25) < 0.03);
  });
});

describe('a permutation', () => {
  it('holds every number once and is not the identity', () => {
    const order = permutation(stream(1, 'order'), 500);
    assert.deepEqual(
      Array.from(order).sort((a, b) => a - b),
      Array.from({ length: 500 }, (_, i) => i),
    );
    assert.ok(order.some((value, i) => value !== i));
  });

  it('puts each of three items first about as often', () => {
    const counts = new Int32Array(3);
    for (let i = 0; i < 3000; i++) counts[permutation(stream(i, 'fair'), 3)[0]!]!++;
    for (const count of counts) assert.ok(Math.abs(count - 1000) < 4 * Math.sqrt(1000 * (2 / 3)), `${count}`);
  });

  it('of one item or none is trivial', () => {
    assert.deepEqual([...permutation(stream(1), 1)], [0]);
    assert.equal(permutation(stream(1), 0).length, 0);
  });
});

describe('gamma and Dirichlet samples', () => {
  for (const shape of [0.3, 1, 2.5, 40]) {
    it(`have mean and variance ${shape} for shape ${shape}`, () => {
      const rng = stream(6, 'gamma', Math.round(10 * shape));
      const values = draws(20_000, () => Math.exp(logGammaSample(rng, shape)));
      assert.ok(Math.abs(mean(values) - shape) < 4 * standardError(shape, values.length));
      // Fourth central moment of Gamma(k): 3k² + 6k.
      assert.ok(Math.abs(variance(values) - shape) < 4 * standardError(2 * shape ** 2 + 6 * shape, values.length));
    });
  }

  for (const alpha of [
    [1, 1, 1],
    [0.1001, 0.05, 0.0001],
    [5, 0.5, 0.01],
    [30, 20, 10],
  ]) {
    it(`have mean alpha / Σ alpha for alpha = ${alpha.join(', ')}, within 4 standard errors`, () => {
      const count = 4000;
      const total = alpha.reduce((a, b) => a + b, 0);
      const samples = Array.from({ length: count }, (_, i) => dirichlet(stream(9, 'dirichlet', i), alpha));
      alpha.forEach((a, k) => {
        const share = a / total;
        const error = standardError((share * (1 - share)) / (total + 1), count);
        const found = mean(samples.map((sample) => sample[k]!));
        assert.ok(Math.abs(found - share) < 4 * error, `class ${k}: ${found}, expected ${share} ± ${4 * error}`);
      });
    });
  }

  it('are never NaN and sum to 1, for concentrations down to 1e-4 and up to 1e4', () => {
    for (const alpha of [1e-4, 1e-3, 0.01, 1, 1e4]) {
      for (let i = 0; i < 300; i++) {
        const sample = dirichlet(stream(i, 'tiny'), Array(10).fill(alpha));
        assert.ok(sample.every((value) => value >= 0 && value <= 1));
        assert.ok(Math.abs(sample.reduce((a, b) => a + b, 0) - 1) < 1e-12);
      }
    }
  });

  it('of equal tiny concentrations choose each corner about as often', () => {
    const counts = new Int32Array(4);
    const isCorner = (value: number): boolean => value > 0.999;
    for (let i = 0; i < 4000; i++) counts[dirichlet(stream(i, 'corner'), Array(4).fill(1e-4)).findIndex(isCorner)]!++;
    for (const count of counts) assert.ok(Math.abs(count - 1000) < 4 * Math.sqrt(750) + 10, `${count}`);
  });
});
