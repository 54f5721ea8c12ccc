import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  constant,
  fans,
  initialise,
  kaimingNormal,
  kaimingUniform,
  normal,
  torchDefaultBias,
  torchDefaultWeight,
  truncatedNormal,
  uniform,
  xavierNormal,
  xavierUniform,
  type Initialiser,
} from './initialise.ts';

const dims = [40, 16, 5, 5];
const fanIn = 400;
const fanOut = 1000;

const spread = (data: Float32Array): number => Math.sqrt(data.reduce((sum, x) => sum + x * x, 0) / data.length);

/** Bound of a uniform law, or deviation of a normal one. */
const uniformCases: readonly (readonly [string, Initialiser, number])[] = [
  ['uniform', uniform(-0.2, 0.2), 0.2],
  ['kaimingUniform', kaimingUniform(), Math.SQRT2 * Math.sqrt(3 / fanIn)],
  ['kaimingUniform over outputs', kaimingUniform({ gain: 1, fan: 'out' }), Math.sqrt(3 / fanOut)],
  ['xavierUniform', xavierUniform(), Math.sqrt(6 / (fanIn + fanOut))],
  ['torchDefaultWeight', torchDefaultWeight, 1 / Math.sqrt(fanIn)],
  ['torchDefaultBias', torchDefaultBias(dims), 1 / Math.sqrt(fanIn)],
];
const normalCases: readonly (readonly [string, Initialiser, number])[] = [
  ['normal', normal(0.01), 0.01],
  ['kaimingNormal', kaimingNormal(), Math.sqrt(2 / fanIn)],
  ['xavierNormal', xavierNormal(2), 2 * Math.sqrt(2 / (fanIn + fanOut))],
];

describe('an initialiser', () => {
  it('counts inputs and outputs of a convolution', () => {
    assert.deepEqual(fans(dims), { fanIn, fanOut });
  });
  for (const [name, make, bound] of uniformCases) {
    it(`${name} fills the interval ±${bound.toPrecision(3)} evenly`, () => {
      const { data } = initialise(1, name, dims, make);
      const largest = data.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      assert.ok(largest <= bound * (1 + 1e-6) && largest > 0.99 * bound, `largest ${largest}`);
      assert.ok(Math.abs(spread(data) / (bound / Math.sqrt(3)) - 1) < 0.02);
    });
  }
  for (const [name, make, deviation] of normalCases) {
    it(`${name} has standard deviation ${deviation.toPrecision(3)}`, () => {
      const { data } = initialise(1, name, dims, make);
      assert.ok(Math.abs(spread(data) / deviation - 1) < 0.03);
      assert.ok(data.some((x) => Math.abs(x) > 3 * deviation));
    });
  }
  it('truncatedNormal never leaves its bound', () => {
    const { data } = initialise(1, 'w', dims, truncatedNormal(0.5, 1, 2));
    assert.ok(data.every((x) => Math.abs(x - 1) <= 1.0001));
    assert.ok(Math.abs(data.reduce((a, b) => a + b, 0) / data.length - 1) < 0.02);
  });
  it('constant fills, and each parameter has numbers of its own', () => {
    assert.deepEqual(initialise(1, 'b', [3], constant(2)).data, Float32Array.of(2, 2, 2));
    assert.notDeepEqual(initialise(1, 'a', [3], torchDefaultWeight), initialise(1, 'b', [3], torchDefaultWeight));
    assert.notDeepEqual(initialise(1, 'a', [3], torchDefaultWeight), initialise(2, 'a', [3], torchDefaultWeight));
  });
});
