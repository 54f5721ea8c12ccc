import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stream } from '../base/rng.ts';
import { meanSquaredError } from '../metrics/images.ts';
import { binInputs, expectedAlone, linearInput, scanRows, type LinearGradient } from './analytic.ts';
import { designImprint } from './analytic-imprint.ts';

const size = 64;
const options = { box: [0, 1], tolerance: 1e-3 } as const;

const images = (seed: number, count: number): Float64Array[] => {
  const rng = stream(seed, 'images');
  // A brightness of its own for each image, as in pictures.
  return Array.from({ length: count }, () => {
    const light = rng.uniform();
    return Float64Array.from({ length: size }, () => light * rng.uniform());
  });
};

const oneImage = (): Float64Array => images(1, 1)[0] ?? new Float64Array(size);

/** By A1; NaN where it says nothing. */
const recovered = (gradient: LinearGradient): Float64Array =>
  linearInput(gradient) ?? new Float64Array(size).fill(Number.NaN);

/** ∂W_i = Σ_k u_ki x_k, ∂b_i = Σ_k u_ki, rounded to float32. */
function linearGradient(batch: readonly Float64Array[], errors: readonly Float64Array[]): LinearGradient {
  const rows = errors[0]?.length ?? 0;
  const weight = new Float64Array(rows * size);
  const bias = new Float64Array(rows);
  batch.forEach((x, k) => {
    for (let i = 0; i < rows; i++) {
      bias[i]! += errors[k]![i]!;
      for (let f = 0; f < size; f++) weight[i * size + f]! += errors[k]![i]! * x[f]!;
    }
  });
  return { weight: Float32Array.from(weight), bias: Float32Array.from(bias) };
}

const randomErrors = (seed: number, count: number, rows: number, active: number): Float64Array[] => {
  const rng = stream(seed, 'errors');
  return Array.from({ length: count }, () =>
    Float64Array.from({ length: rows }, () => (rng.uniform() < active ? 0.01 * rng.normal() : 0)),
  );
};

describe('A1: the input of a first linear layer', () => {
  it('comes back from the gradient of one image', () => {
    const x = oneImage();
    const found = recovered(linearGradient([x], randomErrors(2, 1, 20, 0.5)));
    assert.ok(meanSquaredError(x, found) < 1e-12);
  });
  it('is the least-squares mix of the rows under noise, far better than any single row', () => {
    const x = oneImage();
    const exact = linearGradient([x], randomErrors(2, 1, 200, 1));
    const rng = stream(3, 'noise');
    const noisy = { ...exact, weight: Float64Array.from(exact.weight, (v) => v + 1e-3 * rng.normal()) };
    const mixed = meanSquaredError(x, recovered(noisy));
    const best = Math.min(
      ...Array.from(exact.bias, (b, i) =>
        meanSquaredError(
          x,
          Float64Array.from({ length: size }, (_, f) => (noisy.weight[i * size + f] ?? 0) / b),
        ),
      ),
    );
    assert.ok(mixed < best / 4);
    // 1 / Σ ∂b² times the variance of the noise.
    const expected = 1e-6 / Array.from(exact.bias).reduce((sum, b) => sum + b * b, 0);
    assert.ok(mixed < 2 * expected && mixed > expected / 2);
  });
  it('is not guessed when the bias gradient vanished', () => {
    assert.equal(linearInput({ weight: new Float64Array(size * 2), bias: [0, 0] }), undefined);
    assert.throws(() => linearInput({ weight: new Float64Array(7), bias: [1, 2] }), { code: 'SHAPE_MISMATCH' });
  });
});

describe('A2: rows that one image alone makes active', () => {
  it('give their images, those first that many rows agree on', () => {
    const batch = images(1, 4);
    const found = scanRows(linearGradient(batch, randomErrors(2, 4, 256, 0.2)), options);
    const hits = found.filter(({ input }) => batch.some((x) => meanSquaredError(x, input) < 1e-9));
    assert.equal(hits.length, 4);
    assert.ok(found.slice(0, 4).every((candidate) => hits.includes(candidate)));
    assert.ok(hits.every(({ support }) => support > 3));
  });
  it('leaves out what no picture can be', () => {
    const batch = images(1, 2);
    const errors = [Float64Array.of(1, 1), Float64Array.of(-0.9, 0)];
    const found = scanRows(linearGradient(batch, errors), options);
    assert.equal(found.length, 1);
    assert.ok(meanSquaredError(found[0]!.input, batch[0]!) < 1e-9);
  });
});

describe('A3: bins of an imprinted layer', () => {
  const flat = (list: readonly Float64Array[]): Float32Array<ArrayBuffer> =>
    Float32Array.from(list.flatMap((x) => [...x]));
  for (const measurement of ['mean', 'cosine', 'random'] as const) {
    it(`measured by ${measurement} give back every image that is alone in its bin`, () => {
      const imprint = designImprint(flat(images(7, 2000)), size, { measurement, bins: 64, seed: 1 });
      const batch = images(11, 16);
      const seen = batch.map((x) => imprint.direction.reduce((sum, h, f) => sum + h * x[f]!, 0));
      const rng = stream(5, 'errors');
      const errors = seen.map((value) => {
        const u = 1e-3 * rng.normal();
        return Float64Array.from(imprint.thresholds, (c) => (value > c ? u : 0));
      });
      const bin = seen.map((value) => imprint.thresholds.filter((c) => value > c).length);
      const alone = bin.filter((own) => bin.filter((other) => other === own).length === 1).length;
      const found = binInputs(linearGradient(batch, errors), options);
      const exact = batch.filter((x) => found.some(({ input }) => meanSquaredError(x, input) < 1e-6)).length;
      assert.equal(exact, alone);
      assert.ok(Math.abs(exact - expectedAlone(16, 64)) < 5, `${exact} of 16`);
    });
  }
  it('hold one image alone 12.6 times in 16 with 64 bins', () => {
    assert.ok(Math.abs(expectedAlone(16, 64) - 12.6) < 0.05);
    assert.ok(Math.abs(expectedAlone(64, 128) - 39) < 0.1);
  });
});
