import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stream } from '../base/rng.ts';
import type { ItemShape } from './pixels.ts';
import {
  fillSynthetic,
  mixedNoise,
  noiseKinds,
  syntheticImage,
  syntheticKinds,
  tinyShapes,
  tinyShapesSet,
} from './synthetic.ts';

const shapes: readonly ItemShape[] = [
  [1, 28, 28],
  [3, 32, 32],
  [2, 9, 14],
  [1, 8, 5],
];

function statistics(values: Float32Array): { mean: number; deviation: number } {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length) };
}

/** Mean product of neighbours over the variance: 0 for independent pixels, near 1 for smooth images. */
function neighbourCorrelation(image: Float32Array, width: number): number {
  const { mean, deviation } = statistics(image);
  let [sum, count] = [0, 0];
  for (let i = 1; i < image.length; i++) {
    if (i % width === 0) continue;
    sum += ((image[i] ?? 0) - mean) * ((image[i - 1] ?? 0) - mean);
    count++;
  }
  return sum / count / (deviation * deviation);
}

describe('synthetic images', () => {
  for (const kind of syntheticKinds) {
    it(`of kind ${kind} fill any shape with values in [0, 1] and repeat from a seed`, () => {
      for (const dims of shapes) {
        const size = dims[0] * dims[1] * dims[2];
        const [a, b] = [new Float32Array(4 * size).fill(7), new Float32Array(4 * size).fill(9)];
        fillSynthetic([kind], 5, 0, a, [4, ...dims]);
        fillSynthetic([kind], 5, 0, b, [4, ...dims]);
        assert.deepEqual(a, b);
        assert.ok(a.every((value) => value >= 0 && value <= 1));
        assert.notDeepEqual(a.subarray(0, size), a.subarray(size, 2 * size));
      }
    });
  }

  it('of an endless pool depend on their number alone', () => {
    const whole = new Float32Array(20 * 49);
    fillSynthetic(syntheticKinds, 3, 100, whole, [20, 1, 7, 7]);
    const piece = new Float32Array(6 * 49);
    fillSynthetic(syntheticKinds, 3, 109, piece, [6, 1, 7, 7]);
    assert.deepEqual(piece, whole.slice(9 * 49, 15 * 49));
  });

  it('of uniform noise are uniform and independent', () => {
    const image = new Float32Array(100 * 100);
    syntheticImage('uniform', stream(1), image, [1, 100, 100]);
    const { mean, deviation } = statistics(image);
    assert.ok(Math.abs(mean - 0.5) < 0.012 && Math.abs(deviation - Math.sqrt(1 / 12)) < 0.01);
    assert.ok(Math.abs(neighbourCorrelation(image, 100)) < 0.05);
  });

  it('of smooth kinds have neighbours alike', () => {
    for (const kind of ['smooth', 'pink', 'blobs', 'gradient'] as const) {
      const image = new Float32Array(64 * 64);
      syntheticImage(kind, stream(2), image, [1, 64, 64]);
      assert.ok(neighbourCorrelation(image, 64) > 0.6, kind);
    }
  });

  it('of stroke kinds are mostly empty', () => {
    const images = new Float32Array(50 * 784);
    fillSynthetic(['sparse-strokes'], 1, 0, images, [50, 1, 28, 28]);
    const { mean } = statistics(images);
    assert.ok(mean > 0.01 && mean < 0.25, `mean is ${mean}`);
  });

  it('of mixed noise come from several families', () => {
    const rng = stream(4, 'mix');
    const deviations = new Set<number>();
    for (let i = 0; i < 40; i++) {
      const image = new Float32Array(64);
      mixedNoise(rng, image, [1, 8, 8]);
      deviations.add(Math.round(statistics(image).deviation * 20));
    }
    assert.ok(deviations.size >= 5 && noiseKinds.length === 9);
  });

  it('refuse room of another size and an empty list of kinds', () => {
    assert.throws(() => syntheticImage('gabor', stream(1), new Float32Array(10), [1, 3, 3]), {
      code: 'SHAPE_MISMATCH',
    });
    assert.throws(() => fillSynthetic([], 1, 0, new Float32Array(9), [1, 1, 3, 3]), { code: 'PARAM_INVALID' });
  });
});

describe('tiny shapes', () => {
  /** Class of the nearest mean image: the weakest of learners. */
  function nearestMean(dims: ItemShape, classCount: number): number {
    const size = dims[0] * dims[1] * dims[2];
    const [train, test] = [
      tinyShapes(1, 40 * classCount, dims, classCount),
      tinyShapes(2, 20 * classCount, dims, classCount),
    ];
    const means = Array.from({ length: classCount }, () => new Float32Array(size));
    train.labels.forEach((label, i) =>
      means[label]?.forEach((value, p, mean) => (mean[p] = value + (train.images[i * size + p] ?? 0) / 40)),
    );
    const hits = test.labels.filter((label, i) => {
      const image = test.images.subarray(i * size, (i + 1) * size);
      const distances = means.map((mean) => mean.reduce((sum, value, p) => sum + (value - (image[p] ?? 0)) ** 2, 0));
      return distances.indexOf(Math.min(...distances)) === label;
    });
    return hits.length / test.labels.length;
  }

  it('can be told apart, from 8 × 8 pixels and with up to ten classes', () => {
    assert.ok(nearestMean([1, 8, 8], 4) > 0.8);
    assert.ok(nearestMean([3, 12, 12], 4) > 0.85);
    assert.ok(nearestMean([1, 16, 16], 10) > 0.55);
  });

  it('are balanced, named, in [0, 1], and each depends on its number alone', () => {
    const few = tinyShapes(9, 6, [1, 8, 8], 5);
    const many = tinyShapes(9, 30, [1, 8, 8], 5);
    assert.deepEqual([...few.labels], [0, 1, 2, 3, 4, 0]);
    assert.equal(new Set(many.labelNames).size, 5);
    assert.deepEqual(few.images, many.images.slice(0, few.images.length));
    assert.ok(many.images.every((value) => value >= 0 && value <= 1));
    assert.throws(() => tinyShapes(1, 4, [1, 8, 8], 11), { code: 'PARAM_INVALID' });
  });

  it('serve as an image set', async () => {
    const set = tinyShapesSet(1, 8, [1, 8, 8]);
    const out = new Float32Array(64);
    await set.read([5], out);
    assert.deepEqual(out, tinyShapes(1, 8, [1, 8, 8]).images.slice(5 * 64, 6 * 64));
    assert.deepEqual([set.format, set.count, set.labelNames?.length], ['memory', 8, 4]);
    assert.notEqual(set.fingerprint, tinyShapesSet(2, 8, [1, 8, 8]).fingerprint);
  });
});
