import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  entropy,
  entropyRows,
  expectedCalibrationError,
  klDivergence,
  logSoftmaxRows,
  meanKlOfLogits,
  softmaxRows,
} from './probabilities.ts';

const isClose = (actual: number | undefined, expected: number, tolerance = 1e-12): void => {
  assert.ok(actual !== undefined && Math.abs(actual - expected) <= tolerance, `expected ${expected}, got ${actual}`);
};

describe('softmax', () => {
  it('with a temperature equals PyTorch in float64', () => {
    const got = softmaxRows([2, -1, 0.5], 3, 2);
    [0.5897976636568125, 0.13160164714691433, 0.27860068919627295].forEach((value, k) => isClose(got[k], value));
  });

  it('does not overflow or vanish', () => {
    const got = softmaxRows([1000, 999, -1000], 3);
    isClose(got[0], 1 / (1 + Math.exp(-1)));
    assert.equal(got[2], 0);
    isClose(logSoftmaxRows([1000, 0], 2)[1], -1000);
  });

  it('treats rows on their own and sums to 1', () => {
    const got = softmaxRows(Float32Array.of(1, 2, 3, -7, 0.25, 9), 3, 20);
    isClose((got[0] ?? 0) + (got[1] ?? 0) + (got[2] ?? 0), 1);
    isClose((got[3] ?? 0) + (got[4] ?? 0) + (got[5] ?? 0), 1);
  });
});

describe('entropy', () => {
  it('is ln K for a uniform distribution and 0 for a certain one', () => {
    isClose(entropy([0.25, 0.25, 0.25, 0.25]), Math.log(4));
    assert.equal(entropy([0, 1, 0]), 0);
    assert.deepEqual([...entropyRows([1, 0, 0.5, 0.5], 2)], [0, Math.log(2)]);
  });
});

describe('KL divergence', () => {
  it('is 0 between equals, infinite where mass is missing, and takes 0 ln 0 as 0', () => {
    assert.equal(klDivergence([0.5, 0.5], [0.5, 0.5]), 0);
    assert.equal(klDivergence([0.5, 0.5], [1, 0]), Infinity);
    isClose(klDivergence([1, 0], [0.5, 0.5]), Math.log(2));
  });

  it('between logits equals PyTorch kl_div with batchmean', () => {
    isClose(meanKlOfLogits([2, -1, 0.5], [0.5, -1, 2], 3, 2), 0.23339773084540447);
  });

  it('at a high temperature is the squared distance of centred logits over 2 K T²', () => {
    const [a, b] = [
      [1, -2, 0.5, 0.5],
      [0.2, 0.3, -0.9, 0.4],
    ];
    const squares = a.reduce((sum, value, k) => sum + (value - (b[k] ?? 0)) ** 2, 0);
    isClose(meanKlOfLogits(a, b, 4, 2000) * 2000 ** 2, squares / 8, 2e-3);
  });

  it('between logits is finite however far they are', () => {
    isClose(meanKlOfLogits([0, 5000], [5000, 0], 2), 5000);
  });
});

describe('calibration', () => {
  it('is the mean gap of confidence and accuracy over bins', () => {
    const probabilities = [0.9, 0.1, 0.9, 0.1, 0.6, 0.4, 0.3, 0.7];
    const { error, bins } = expectedCalibrationError(probabilities, [0, 1, 1, 1], 2);
    // Bin of 0.9: two items, half right, gap 0.4; of 0.6: wrong, gap 0.6; of 0.7: right, gap 0.3.
    isClose(error, (2 * 0.4 + 0.6 + 0.3) / 4);
    assert.equal(bins.length, 15);
    assert.deepEqual([bins[13]?.count, bins[13]?.confidence, bins[13]?.accuracy], [2, 0.9, 0.5]);
  });

  it('puts a confidence on a border into the lower bin and certainty into the last', () => {
    const { bins } = expectedCalibrationError([0.5, 0.5, 1, 0], [0, 0], 2, 2);
    assert.deepEqual(
      bins.map((bin) => bin.count),
      [1, 1],
    );
  });

  it('is 0 for a perfect model', () => {
    assert.equal(expectedCalibrationError([1, 0, 0, 1], [0, 1], 2).error, 0);
  });
});
