import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stream } from '../base/rng.ts';
import { affineTheta, randomAffine, warpAffine } from './augment.ts';
import type { ImageDims } from './preprocess.ts';

function warped(values: readonly number[], dims: ImageDims, thetas: readonly number[]): number[] {
  const out = new Float32Array(values.length);
  warpAffine(Float32Array.from(values), dims, thetas, out);
  return Array.from(out, (value) => Math.round(value * 1e6) / 1e6 + 0);
}
const still = { angle: 0, scale: 1, shiftX: 0, shiftY: 0 };
const numbers = Array.from({ length: 12 }, (_, i) => i + 1);

describe('warping', () => {
  it('equals grid_sample of affine_grid in PyTorch', () => {
    const image = numbers.map((value) => value / 12);
    // theta [[.9, .35, .1], [-.25, 1.1, -.2]], bilinear, zeros, align_corners=False
    const expected = [
      0.06487, 0.103099, 0.113203, 0.095182, 0.439583, 0.452083, 0.464583, 0.449271, 0.751589, 0.857639, 0.870139,
      0.405799,
    ];
    const got = warped(image, [1, 1, 3, 4], [0.9, 0.35, 0.1, -0.25, 1.1, -0.2]);
    for (const [i, value] of expected.entries())
      assert.ok(Math.abs((got[i] ?? 0) - value) < 2e-6, `value ${i}: expected ${value}, got ${got[i]}`);
  });

  it('by the identity changes nothing, in every channel', () => {
    assert.deepEqual(warped(numbers, [1, 2, 2, 3], affineTheta(still, 2, 3)), numbers);
  });

  it('moves the content right and down by whole pixels and leaves zeros behind', () => {
    assert.deepEqual(
      warped(numbers, [1, 1, 3, 4], affineTheta({ ...still, shiftX: 1 }, 3, 4)),
      [0, 1, 2, 3, 0, 5, 6, 7, 0, 9, 10, 11],
    );
    assert.deepEqual(
      warped(numbers, [1, 1, 3, 4], affineTheta({ ...still, shiftY: 2 }, 3, 4)),
      [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4],
    );
  });

  it('turns the content clockwise on screen', () => {
    assert.deepEqual(
      warped([1, 2, 3, 4], [1, 1, 2, 2], affineTheta({ ...still, angle: Math.PI / 2 }, 2, 2)),
      [3, 1, 4, 2],
    );
  });

  it('turns before it shifts', () => {
    const quarter = affineTheta({ angle: Math.PI / 2, scale: 1, shiftX: 1, shiftY: 0 }, 2, 2);
    assert.deepEqual(warped([1, 2, 3, 4], [1, 1, 2, 2], quarter), [0, 3, 0, 4]);
  });

  it('rotates in pixels where height and width differ', () => {
    const column = [0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0];
    assert.deepEqual(
      warped(column, [1, 1, 3, 5], affineTheta({ ...still, angle: Math.PI / 2 }, 3, 5)),
      [0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0],
    );
  });

  it('with scale 2 shows the middle enlarged', () => {
    assert.deepEqual(
      warped([0, 0, 0, 0, 0, 8, 0, 0], [1, 1, 1, 8], affineTheta({ ...still, scale: 2 }, 1, 8)),
      [0, 0, 0, 0, 0, 2, 6, 6],
    );
  });

  it('gives every image its own theta', () => {
    const thetas = [...affineTheta(still, 1, 2), ...affineTheta({ ...still, shiftX: 1 }, 1, 2)];
    assert.deepEqual(warped([1, 2, 3, 4], [2, 1, 1, 2], thetas), [1, 2, 0, 3]);
  });
});

describe('a random view', () => {
  const ranges = { rotationDegrees: 25, translatePixels: 4, scaleMin: 0.75, scaleMax: 1.1, height: 28, width: 28 };

  it('stays within its ranges and reaches near their ends', () => {
    const seen = { angle: 0, scaleLow: Infinity, scaleHigh: 0, shift: 0 };
    const rng = stream(1, 'views');
    for (let i = 0; i < 3000; i++) {
      const [a, b, c, d, e, f] = randomAffine(rng, ranges);
      assert.ok(Math.abs(a - e) < 1e-12 && Math.abs(b + d) < 1e-12);
      const scale = 1 / Math.hypot(a, b);
      const [inX, inY] = [(c * 28) / 2, (f * 28) / 2];
      // The shift is minus the inverse rotation and scale of the offset.
      const shift = [-scale * scale * (a * inX - b * inY), -scale * scale * (b * inX + a * inY)];
      seen.angle = Math.max(seen.angle, Math.abs(Math.atan2(b, a)) * (180 / Math.PI));
      seen.scaleLow = Math.min(seen.scaleLow, scale);
      seen.scaleHigh = Math.max(seen.scaleHigh, scale);
      seen.shift = Math.max(seen.shift, ...shift.map(Math.abs));
    }
    const isNear = (value: number, end: number) =>
      assert.ok(Math.abs(value - end) < 0.01 * end, `expected about ${end}, got ${value}`);
    isNear(seen.angle, 25);
    isNear(seen.scaleLow, 0.75);
    isNear(seen.scaleHigh, 1.1);
    isNear(seen.shift, 4);
    assert.ok(
      seen.angle <= 25 && seen.scaleLow >= 0.75 - 1e-9 && seen.scaleHigh <= 1.1 + 1e-9 && seen.shift <= 4 + 1e-9,
    );
  });

  it('is the same for the same stream', () => {
    assert.deepEqual(randomAffine(stream(3, 'view', 5), ranges), randomAffine(stream(3, 'view', 5), ranges));
  });
});
