import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memorySet } from './dataset.ts';
import { readItems } from './testing/fixtures.ts';
import { fitImages, fitSet, invertImages, resizeImages, toChannels } from './preprocess.ts';

function assertClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-6): void {
  assert.equal(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    assert.ok(
      Math.abs((actual[i] ?? 0) - (expected[i] ?? 0)) <= tolerance,
      `value ${i}: expected ${expected[i]}, got ${actual[i]}`,
    );
  }
}

describe('resizing', () => {
  it('interpolates between pixel centres when growing, as PyTorch does', () => {
    const image = Float32Array.of(0, 0.2, 0.4, 0.6, 0.1, 0.9, 0.3, 0.5, 1, 0.8, 0.7, 0.05);
    // torch.nn.functional.interpolate(size=(5, 7), mode='bilinear', align_corners=False)
    const expected = [
      0.0, 0.071429, 0.185714, 0.3, 0.414286, 0.528571, 0.6, 0.04, 0.197143, 0.448571, 0.42, 0.374286, 0.488571, 0.56,
      0.1, 0.385714, 0.842857, 0.6, 0.314286, 0.428571, 0.5, 0.64, 0.711429, 0.825714, 0.69, 0.517857, 0.340714, 0.23,
      1.0, 0.928571, 0.814286, 0.75, 0.653571, 0.282143, 0.05,
    ];
    assertClose(resizeImages(image, [1, 1, 3, 4], 5, 7), expected, 2e-6);
  });

  it('averages the covered area when shrinking, fractions included', () => {
    assertClose(
      resizeImages(
        Float32Array.from({ length: 16 }, (_, i) => i / 16),
        [1, 1, 4, 4],
        2,
        2,
      ),
      [0.15625, 0.28125, 0.65625, 0.78125],
    );
    assertClose(resizeImages(Float32Array.of(0, 0.3, 0.9), [1, 1, 1, 3], 1, 2), [(0 + 0.15) / 1.5, (0.15 + 0.9) / 1.5]);
  });

  it('keeps the mean when shrinking and a constant at any size', () => {
    const image = Float32Array.from({ length: 2 * 3 * 10 * 9 }, (_, i) => ((i * 37) % 101) / 100);
    const mean = (values: Float32Array) => values.reduce((a, b) => a + b, 0) / values.length;
    assert.ok(Math.abs(mean(resizeImages(image, [2, 3, 10, 9], 4, 7)) - mean(image)) < 1e-6);
    for (const [height, width] of [
      [1, 1],
      [5, 3],
      [17, 31],
      [28, 2],
    ] as const) {
      assertClose(
        resizeImages(new Float32Array(12).fill(0.25), [1, 1, 3, 4], height, width),
        new Float32Array(height * width).fill(0.25),
      );
    }
  });

  it('treats every plane on its own', () => {
    const out = resizeImages(Float32Array.of(0, 0, 1, 1, 0.5, 0.5), [1, 3, 1, 2], 1, 1);
    assertClose(out, [0, 1, 0.5]);
  });
});

describe('channels', () => {
  it('become grey by luminance and coloured by repetition', () => {
    assertClose(toChannels(Float32Array.of(1, 0, 0, 1, 0, 0), [1, 3, 1, 2], 1), [0.299, 0.587]);
    assertClose(
      toChannels(Float32Array.of(0.1, 0.2, 0.3, 0.4), [2, 1, 1, 2], 3),
      [0.1, 0.2, 0.1, 0.2, 0.1, 0.2, 0.3, 0.4, 0.3, 0.4, 0.3, 0.4],
    );
    assertClose(toChannels(Float32Array.of(0.1, 0.2, 0.3, 1), [1, 4, 1, 1], 3), [0.1, 0.2, 0.3]);
  });

  it('that cannot be converted are refused', () => {
    assert.throws(() => toChannels(new Float32Array(2), [1, 2, 1, 1], 3), { code: 'SHAPE_MISMATCH' });
    assert.throws(() => toChannels(new Float32Array(5), [1, 3, 1, 1], 1), { code: 'SHAPE_MISMATCH' });
  });
});

describe('fitting', () => {
  it('changes channels and size, then inverts', () => {
    const images = Float32Array.of(0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1);
    assertClose(fitImages(images, [1, 3, 2, 2], { channels: 1, height: 2, width: 1, invert: true }), [0.5, 0.5]);
    assertClose(invertImages(Float32Array.of(0, 0.25)), [1, 0.75]);
  });

  it('of a set happens while it is read', async () => {
    const set = memorySet({
      title: 'pool',
      images: Float32Array.of(0, 0.5, 1, 1),
      shape: [1, 1, 2],
      labels: Int32Array.of(4, 5),
    });
    const fitted = fitSet(set, { channels: 3, height: 1, width: 1 });
    assert.deepEqual([fitted.shape, fitted.count, fitted.labels], [[3, 1, 1], 2, set.labels]);
    assertClose(await readItems(fitted, [1, 0]), [1, 1, 1, 0.25, 0.25, 0.25]);
    assert.equal(fitSet(set, { channels: 1, height: 1, width: 2 }), set);
  });
});
