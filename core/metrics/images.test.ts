import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { meanSquaredError, psnrDb, ssim } from './images.ts';

const a = Float64Array.from({ length: 168 }, (_, i) => ((i * 7) % 13) / 12);
const b = Float64Array.from({ length: 168 }, (_, i) => (((i * 5) % 11) / 10) * 0.5 + ((i * 7) % 13) / 24);

describe('image quality', () => {
  it('in PSNR is 10 log10 of the squared peak over the mean squared error', () => {
    assert.equal(meanSquaredError([0, 1], [0, 0.5]), 0.125);
    assert.ok(Math.abs(psnrDb(a, b) - 12.639211499365285) < 1e-9);
    assert.ok(Math.abs(psnrDb([0, 0], [25.5, 25.5], 255) - 20) < 1e-9);
    assert.equal(psnrDb(a, a), Infinity);
  });

  it('in SSIM equals an 11 × 11 Gaussian window computed with PyTorch convolutions', () => {
    assert.ok(Math.abs(ssim(a, b, [1, 14, 12]) - 0.6240345799365972) < 1e-9);
    assert.ok(Math.abs(ssim(a, a, [1, 14, 12]) - 1) < 1e-12);
  });

  it('in SSIM works on images smaller than the window and averages channels', () => {
    assert.ok(Math.abs(ssim(a.slice(0, 24), a.slice(0, 24), [2, 3, 4]) - 1) < 1e-12);
    const [one, two] = [ssim(a.slice(0, 84), b.slice(0, 84), [1, 7, 12]), ssim(a.slice(84), b.slice(84), [1, 7, 12])];
    assert.ok(Math.abs(ssim(a, b, [2, 7, 12]) - (one + two) / 2) < 1e-12);
  });

  it('refuses images of different sizes', () => {
    assert.throws(() => psnrDb([1, 2], [1]), { code: 'SHAPE_MISMATCH' });
    assert.throws(() => ssim([1, 2], [1, 2], [1, 2, 2]), { code: 'SHAPE_MISMATCH' });
  });
});
