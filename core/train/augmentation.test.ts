import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stream } from '../base/rng.ts';
import { warpAffine } from '../data/augment.ts';
import { releaseAugmentation } from './augmentation.ts';

const draws = (count: number) =>
  Array.from({ length: count }, (_, i) => releaseAugmentation(stream(5, 'draw', i), 10, 10));

describe('the augmentation of the released code', () => {
  it('draws its transforms with the shares of the release', () => {
    const drawn = draws(21_200);
    const isIdentity = ({ theta }: (typeof drawn)[number]) => theta.join() === '1,0,0,0,1,0';
    const share = (test: (each: (typeof drawn)[number]) => boolean) => drawn.filter(test).length / 200;
    // Of 106: 1 identity and 3 noises leave the view alone, 1 transposes, 1 mirrors left and right.
    assert.ok(Math.abs(share((each) => isIdentity(each)) - 4) < 0.6);
    assert.ok(Math.abs(share(({ pixels }) => pixels !== undefined) - 3) < 0.5);
    assert.ok(Math.abs(share(({ theta }) => theta.join() === '0,1,0,1,0,0') - 1) < 0.3);
    assert.ok(Math.abs(share(({ theta }) => theta.join() === '-1,0,0,0,1,0') - 1) < 0.3);
  });

  it('shifts by a fifth of the image', () => {
    const image = new Float32Array(100);
    image[55] = 1;
    const shifted = draws(400).filter(
      ({ theta: [a, b, c, d, e, f] }) => a === 1 && b === 0 && d === 0 && e === 1 && (c !== 0) !== (f !== 0),
    );
    assert.ok(shifted.length > 4);
    const out = new Float32Array(100);
    const places = shifted.map(({ theta }) => {
      warpAffine(image, [1, 1, 10, 10], theta, out);
      return out.findIndex((value) => value > 0.99);
    });
    assert.deepEqual(
      [...new Set(places)].toSorted((a, b) => a - b),
      [35, 53, 57, 75],
    );
  });

  it('keeps noisy pixels in the range and changes few of them by salt and pepper', () => {
    for (const { pixels } of draws(2000)) {
      if (!pixels) continue;
      const image = new Float32Array(1000).fill(0.5);
      pixels(image);
      assert.ok(image.every((value) => value >= 0 && value <= 1));
      assert.ok(image.some((value) => value !== 0.5));
    }
  });
});
