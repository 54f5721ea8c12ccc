import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillUniform, permutation, stream } from '../base/rng.ts';
import { isIdentified, scoreBatch, scoreImage, successCurve } from './score.ts';
import { cheapestMatching } from './score-matching.ts';

const shape = [1, 12, 12] as const;
const size = 144;
const images = (seed: number, count: number): Float32Array<ArrayBuffer> => {
  const out = new Float32Array(count * size);
  fillUniform(stream(seed, 'images'), out);
  return out;
};

describe('the cheapest matching', () => {
  it('costs as little as the best of all orders', () => {
    const rng = stream(1, 'costs');
    for (let trial = 0; trial < 50; trial++) {
      const n = 1 + rng.int(5);
      const cost = Float64Array.from({ length: n * n }, () => rng.normal());
      const total = (columns: ArrayLike<number>): number =>
        Array.from(columns).reduce((sum, j, i) => sum + cost[i * n + j]!, 0);
      const orders = (rest: number[]): number[][] =>
        rest.length === 0
          ? [[]]
          : rest.flatMap((j) => orders(rest.filter((other) => other !== j)).map((tail) => [j, ...tail]));
      const best = Math.min(...orders(Array.from({ length: n }, (_, i) => i)).map(total));
      assert.ok(Math.abs(total(cheapestMatching(cost, n)) - best) < 1e-12);
    }
  });
});

describe('scores', () => {
  it('clip pixels to [0, 1], and tell the unclipped error beside it', () => {
    const truth = new Float32Array(size).fill(1);
    const found = new Float32Array(size).fill(3);
    const score = scoreImage(truth, found, shape);
    assert.deepEqual([score.mse, score.unclippedMse, score.psnrDb], [0, 4, 200]);
    const broken = scoreImage(truth, new Float32Array(size).fill(Number.NaN), shape);
    assert.deepEqual([broken.mse, Number.isNaN(broken.unclippedMse)], [1, true]);
  });
  it('do not depend on the order of the reconstructions', () => {
    const truth = images(1, 6);
    const noise = images(2, 6);
    const found = truth.map((value, i) => value + 0.3 * (noise[i]! - 0.5));
    const order = permutation(stream(3, 'order'), 6);
    const shuffled = new Float32Array(found.length);
    order.forEach((from, to) => shuffled.set(found.subarray(from * size, (from + 1) * size), to * size));
    const [straight, mixed] = [scoreBatch(truth, found, shape), scoreBatch(truth, shuffled, shape)];
    assert.deepEqual(
      mixed.map(({ mse, psnrDb, ssim }) => [mse, psnrDb, ssim]),
      straight.map(({ mse, psnrDb, ssim }) => [mse, psnrDb, ssim]),
    );
    assert.deepEqual(
      mixed.map(({ reconstruction }) => order[reconstruction]),
      [0, 1, 2, 3, 4, 5],
    );
  });
  it('refuse another number of reconstructions', () => {
    assert.throws(() => scoreBatch(images(1, 2), images(1, 3), shape), { code: 'SHAPE_MISMATCH' });
  });
});

describe('identification', () => {
  const gallery = { images: images(4, 5), labels: [0, 0, 0, 1, 2], size };
  const item = (i: number): Float32Array => gallery.images.slice(i * size, (i + 1) * size);
  it('asks whether the nearest image of the label is the true one', () => {
    assert.equal(isIdentified(item(1), 1, gallery), true);
    assert.equal(isIdentified(item(2), 1, gallery), false);
    // Nearer to an image of another label: that one is no rival.
    assert.equal(isIdentified(item(4), 1, { ...gallery, labels: [1, 0, 1, 1, 2] }), undefined);
  });
});

describe('the success curve', () => {
  it('counts runs at or below each threshold, failed ones as failures, with Wilson intervals', () => {
    const curve = successCurve([0, 1e-4, 2e-3, 0.5, Number.NaN, Infinity]);
    assert.deepEqual(
      curve.map(({ count }) => count),
      [3, 3, 2, 2, 2],
    );
    assert.equal(curve[0]?.of, 6);
    const [low, high] = curve[0]?.interval ?? [0, 0];
    assert.ok(Math.abs(low - 0.1876) < 1e-3 && Math.abs(high - 0.8124) < 1e-3);
  });
});
