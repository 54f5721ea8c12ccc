import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { confusionDissimilarity, cosineDissimilarity, extremeTargets, gatherMeans } from './dissimilarity.ts';
import { kendallTauB } from './rank-agreement.ts';

const close = (found: ArrayLike<number>, wanted: readonly number[]): void => {
  assert.equal(found.length, wanted.length);
  wanted.forEach((value, at) => assert.ok(Math.abs(found[at]! - value) < 1e-6, `${at}: ${found[at]} for ${value}`));
};

describe('visual dissimilarity', () => {
  it('is half of one minus the cosine between the rows of the last layer', () => {
    // Rows at 0°, 90° and 180°, of different lengths.
    close(cosineDissimilarity([1, 0, 0, 2, -3, 0], 3), [0, 0.5, 1, 0.5, 0, 0.5, 1, 0.5, 0]);
  });

  it('takes class means of features or pixels before their cosine', () => {
    const rows = Float32Array.of(2, 1, 0, 4, 2, -1, 0, 2);
    // Means (2, 0) of class 0 and (0, 3) of class 1.
    for (const piece of [8, 2, 6]) {
      const means = gatherMeans(Int32Array.of(0, 1, 0, 1), 2);
      for (let from = 0; from < rows.length; from += piece) means.add(rows.subarray(from, from + piece), 2);
      close(means.dissimilarity(), [0, 0.5, 0.5, 0]);
    }
    const same = gatherMeans(Int32Array.of(0, 0, 0, 0), 2);
    same.add(rows, 2);
    assert.throws(() => same.dissimilarity(), { code: 'DATA_UNSUITABLE', message: /got none of 1/ });
  });

  it('makes the pair that the model confuses most its nearest', () => {
    const log = (...p: number[]): number[] => p.map((value) => Math.log(value));
    const logits = Float32Array.from([
      ...log(0.7, 0.2, 0.1),
      ...log(0.4, 0.5, 0.1),
      ...log(0.2, 0, 0.8).map((z) => Math.max(z, -1e4)),
    ]);
    // Symmetrised: 0–1 0.3, 0–2 0.15, 1–2 0.05; divided by 0.3.
    const found = confusionDissimilarity(logits, Int32Array.of(0, 1, 2), 3, 1);
    close(found, [0, 0, 0.5, 0, 0, 1 - 1 / 6, 0.5, 1 - 1 / 6, 0]);
  });

  it('judges a class without images by how often others are taken for it', () => {
    const logits = Float32Array.from([0.7, 0.2, 0.1, 0.3, 0.6, 0.1], Math.log);
    // 0–1 (0.2 + 0.3) / 2, 0–2 and 1–2 0.1; divided by 0.25.
    const found = confusionDissimilarity(logits, Int32Array.of(0, 1), 3, 1);
    close(found, [0, 0, 0.6, 0, 0, 0.6, 0.6, 0.6, 0]);
  });

  it('names the nearest and the farthest wrong class of each answer, the lower one of equals', () => {
    const values = Float64Array.of(0, 1, 2, 3, 0, 3, 5, 5, 0);
    const { least, most } = extremeTargets(values, Int32Array.of(0, 1, 2, 0));
    assert.deepEqual([...least], [1, 0, 0, 1]);
    assert.deepEqual([...most], [2, 0, 0, 2]);
  });
});

describe('Kendall’s tau-b', () => {
  it('is one for the same order, minus one for the opposite, and counts ties as the formula does', () => {
    assert.equal(kendallTauB([1, 2, 3], [10, 20, 30]), 1);
    assert.equal(kendallTauB([1, 2, 3], [3, 2, 1]), -1);
    // Pairs: 3 in the same order, 2 opposite, 1 tied in the second: 1 / √(5 · 6).
    assert.ok(Math.abs((kendallTauB([1, 2, 3, 4], [1, 3, 3, 2]) ?? 0) - 1 / Math.sqrt(30)) < 1e-12);
    assert.equal(kendallTauB([1, 2, 3, 4], [1, 3, 3, 2]), kendallTauB([1, 3, 3, 2], [1, 2, 3, 4]));
    assert.equal(kendallTauB([1, 1], [1, 2]), null);
  });
});
