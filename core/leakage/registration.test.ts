import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillNormal, stream } from '../base/rng.ts';
import { meanSquaredError } from '../metrics/images.ts';
import { groupMean, register } from './registration.ts';

/** Blobs on a dark ground, smooth, seen through a map of the plane; [channels, side, side]. */
function picture(
  side: number,
  channels: number,
  map: (u: number, v: number) => readonly [number, number] = (u, v) => [u, v],
): Float32Array<ArrayBuffer> {
  const middle = (side - 1) / 2;
  const blobs = [
    [-0.2, -0.1, 0.12],
    [0.15, 0.2, 0.1],
    [0.1, -0.25, 0.07],
  ] as const;
  return Float32Array.from({ length: channels * side * side }, (_, at) => {
    const [channel, y, x] = [Math.floor(at / (side * side)), Math.floor(at / side) % side, at % side];
    const [u, v] = map(x - middle, y - middle);
    return blobs.reduce(
      (sum, [bx, by, r], i) =>
        sum + (1 - 0.2 * ((i + channel) % 3)) * Math.exp(-((u / side - bx) ** 2 + (v / side - by) ** 2) / (2 * r * r)),
      0,
    );
  });
}

const shifted = (side: number, dx: number, dy: number, channels = 1): Float32Array<ArrayBuffer> =>
  picture(side, channels, (u, v) => [u + dx, v + dy]);

describe('registration', () => {
  for (const [side, dx, dy] of [
    [16, 1, -2],
    [32, 3, 2.5],
    [96, -9, 7],
  ] as const) {
    it(`undoes a shift by ${dx} and ${dy} of ${side} pixels`, () => {
      const target = picture(side, 3);
      const moved = shifted(side, dx, dy, 3);
      const before = meanSquaredError(moved, target);
      const after = meanSquaredError(register(moved, target, [3, side, side]), target);
      assert.ok(after < 0.05 * before, `${before} to ${after}`);
    });
  }
  it('undoes a small turn and a change of size', () => {
    const target = picture(32, 1);
    const [c, s] = [Math.cos(0.12) * 1.05, Math.sin(0.12) * 1.05];
    const moved = picture(32, 1, (u, v) => [c * u - s * v, s * u + c * v]);
    const after = meanSquaredError(register(moved, target, [1, 32, 32]), target);
    assert.ok(after < 0.05 * meanSquaredError(moved, target), String(after));
  });
  it('leaves alone what is at its place, flat, or nothing but noise of another picture', () => {
    const target = picture(16, 1);
    assert.ok(meanSquaredError(register(target, target, [1, 16, 16]), target) < 1e-12);
    const flat = new Float32Array(256).fill(0.5);
    assert.deepEqual(register(flat, target, [1, 16, 16]), flat);
    const noise = new Float32Array(256);
    fillNormal(stream(1, 'noise'), noise);
    const moved = register(noise, target, [1, 16, 16]);
    assert.ok(moved.every(Number.isFinite));
    assert.ok(meanSquaredError(moved, target) <= meanSquaredError(noise, target));
  });
});

describe('the mean of a group', () => {
  it('of shifted, noisy candidates is nearer to each of them, and sharper, when they are registered', () => {
    const side = 32;
    const shifts = [
      [-3, 1],
      [2, 2],
      [1, -3],
      [0, 0],
    ] as const;
    const candidates = shifts.map(([dx, dy], i) => {
      const noise = new Float32Array(side * side);
      fillNormal(stream(i, 'candidate'), noise, 0, 0.05);
      return shifted(side, dx, dy).map((value, at) => value + (noise[at] ?? 0));
    });
    const variance = (image: Float32Array): number => {
      const mean = image.reduce((sum, value) => sum + value, 0) / image.length;
      return image.reduce((sum, value) => sum + (value - mean) ** 2, 0) / image.length;
    };
    const plain = groupMean(candidates, [1, side, side], 'none');
    const registered = groupMean(candidates, [1, side, side], 'affine');
    const truth = picture(side, 1);
    const nearest = (image: Float32Array): number => meanSquaredError(register(image, truth, [1, side, side]), truth);
    assert.ok(variance(registered) > 1.1 * variance(plain));
    assert.ok(nearest(registered) < 0.5 * nearest(plain), `${nearest(plain)} to ${nearest(registered)}`);
  });
  it('takes each picture of a batch by itself', () => {
    const side = 16;
    const pair = (dx: number): Float32Array => Float32Array.from([...shifted(side, dx, 0), ...shifted(side, 0, dx)]);
    const both = groupMean([pair(1), pair(-1)], [1, side, side], 'affine');
    const first = groupMean([shifted(side, 1, 0), shifted(side, -1, 0)], [1, side, side], 'affine');
    assert.deepEqual(both.subarray(0, side * side), first);
  });
});
