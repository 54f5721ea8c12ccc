import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillNormal, stream } from '../../base/rng.ts';
import { argmaxRows } from '../../metrics/classification.ts';
import { classSimilarity, noSimilarity, rowEntropies, sampleTargets, type TargetOptions } from './targets.ts';

const normal = (size: number, seed = 1): Float32Array => {
  const data = new Float32Array(size);
  fillNormal(stream(seed, 'weight'), data);
  return data;
};
const classes = 5;
const similarity = classSimilarity(normal(classes * 7), classes);
const options: TargetOptions = { kind: 'dirichlet', count: 200, scales: [1, 0.1], seed: 3 };
const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
const rowsOf = (targets: Float32Array, k = classes): number[][] =>
  Array.from({ length: targets.length / k }, (_, i) => [...targets.subarray(i * k, (i + 1) * k)]);
const countBy = (values: Iterable<string>): number[] =>
  Array.from(Map.groupBy(values, (value) => value).values(), (group) => group.length);

describe('class similarity', () => {
  it('is the cosine of the templates, each row then spread over [0, 1] with its own extremes', () => {
    // Templates at 0°, 60°, 90° and 180°.
    const angles = [0, 60, 90, 180].map((degrees) => (degrees * Math.PI) / 180);
    const templates = Float32Array.from(
      angles.flatMap((angle, k) =>
        [k + 1, k + 1].map((length, axis) => length * (axis === 0 ? Math.cos(angle) : Math.sin(angle))),
      ),
    );
    const { cosine, normalised } = classSimilarity(templates, 4);
    const near = (found: readonly number[] | undefined, expected: readonly number[]): void =>
      expected.forEach((value, i) =>
        assert.ok(Math.abs((found?.[i] ?? NaN) - value) < 1e-6, `${found?.join()} is not ${expected.join()}`),
      );
    near(cosine[0], [1, 0.5, 0, -1]);
    near(normalised[0], [1, 0.75, 0.5, 0]);
    near(cosine[2], [0, Math.sqrt(3) / 2, 1, 0]);
    near(normalised[1], [2 / 3, 1, (Math.sqrt(3) / 2 + 0.5) / 1.5, 0]);
  });

  it('has 1 on the diagonal, and 1 and 0 as the extremes of each row', () => {
    for (const [k, row] of similarity.normalised.entries()) {
      assert.equal(row[k], 1);
      assert.deepEqual([Math.max(...row), Math.min(...row)], [1, 0]);
      assert.equal(row.filter((value) => value === 0).length, 1);
    }
  });

  it('does not look at the length of a template', () => {
    const scaled = normal(classes * 7).map((value, i) => value * (1 + Math.floor(i / 7)));
    const other = classSimilarity(scaled, classes);
    other.cosine.forEach((row, i) =>
      row.forEach((value, j) => assert.ok(Math.abs(value - (similarity.cosine[i]?.[j] ?? NaN)) < 1e-6)),
    );
  });

  it('is uniform for templates that cannot be told apart', () => {
    const same = normal(7);
    const rows = classSimilarity(Float32Array.from([...same, ...same, ...same]), 3).normalised;
    assert.deepEqual(rows, [
      [1, 1, 1],
      [1, 1, 1],
      [1, 1, 1],
    ]);
  });

  it('survives a template of zeros', () => {
    const { cosine, normalised } = classSimilarity(Float32Array.of(0, 0, 1, 0, 0, 1), 3);
    assert.ok([...cosine.flat(), ...normalised.flat()].every(Number.isFinite));
    assert.deepEqual(normalised[0], [1, 0, 0]);
  });
});

describe('targets', () => {
  it('are rows of probabilities', () => {
    for (const kind of ['dirichlet', 'one-hot', 'uniform', 'shuffled'] as const) {
      const { targets } = sampleTargets(similarity, { ...options, kind, scales: [0.01, 1, 10] });
      assert.equal(targets.length, options.count * classes);
      for (const row of rowsOf(targets)) {
        assert.ok(row.every((value) => value >= 0 && value <= 1));
        assert.ok(Math.abs(sum(row) - 1) < 1e-5);
      }
    }
  });

  it('are shared equally among classes and scales, also when they do not divide evenly', () => {
    for (const count of [200, 203]) {
      const { classes: drawn, scales } = sampleTargets(similarity, { ...options, count });
      const cells = countBy(Array.from(drawn, (k, i) => `${k}/${scales[i]}`));
      assert.equal(cells.length, classes * 2);
      assert.ok(Math.max(...cells) - Math.min(...cells) <= (count % (classes * 2) === 0 ? 0 : 1));
    }
  });

  it('come in mixed order, so that each batch has all classes', () => {
    const { classes: drawn } = sampleTargets(similarity, { ...options, count: 1000 });
    for (let start = 0; start < 1000; start += 100)
      assert.equal(new Set(drawn.subarray(start, start + 100)).size, classes);
  });

  it('have the mean alpha / Σ alpha of their class and scale, within 4 standard errors', () => {
    const count = 10_000;
    const { targets, classes: drawn } = sampleTargets(similarity, { ...options, count, scales: [0.1] });
    const rows = rowsOf(targets);
    for (let k = 0; k < classes; k++) {
      const own = rows.filter((_, i) => drawn[i] === k);
      const alpha = similarity.normalised[k]?.map((value) => 0.1 * value + 1e-4) ?? [];
      const total = sum(alpha);
      alpha.forEach((a, j) => {
        const share = a / total;
        const error = Math.sqrt((share * (1 - share)) / (total + 1) / own.length);
        const found = sum(own.map((row) => row[j] ?? NaN)) / own.length;
        assert.ok(Math.abs(found - share) < 4 * error, `class ${k}, share of ${j}: ${found}, expected ${share}`);
      });
    }
  });

  it('are flatter for a larger scale', () => {
    const entropies = [0.01, 0.1, 1, 10].map((scale) => {
      const { targets } = sampleTargets(similarity, { ...options, scales: [scale] });
      return sum(rowEntropies(targets, classes)) / options.count;
    });
    assert.deepEqual(
      entropies,
      entropies.toSorted((a, b) => a - b),
    );
    assert.ok((entropies[0] ?? 1) < 0.1 && (entropies[3] ?? 0) > 0.8, entropies.join());
  });

  it('of class impressions are one-hot at the class', () => {
    const { targets, classes: drawn, scales } = sampleTargets(similarity, { ...options, kind: 'one-hot' });
    assert.deepEqual(argmaxRows(targets, classes), drawn);
    assert.deepEqual(new Set(targets), new Set([0, 1]));
    assert.deepEqual(new Set(scales), new Set([1]));
  });

  it('of the shuffled kind keep each class its own, and exchange what it resembles', () => {
    const shares = (kind: TargetOptions['kind']): number[][] => {
      const { targets, classes: drawn } = sampleTargets(similarity, { ...options, kind, count: 20_000, scales: [10] });
      const rows = rowsOf(targets);
      return Array.from({ length: classes }, (_, k) => {
        const own = rows.filter((_row, i) => drawn[i] === k);
        return Array.from({ length: classes }, (_column, j) => sum(own.map((row) => row[j] ?? NaN)) / own.length);
      });
    };
    const [plain, shuffled] = [shares('dirichlet'), shares('shuffled')];
    const rounded = (row: readonly number[] | undefined): string => (row ?? []).map((value) => value.toFixed(1)).join();
    for (let k = 0; k < classes; k++) {
      assert.ok(Math.abs((plain[k]?.[k] ?? NaN) - (shuffled[k]?.[k] ?? NaN)) < 0.03, `class ${k}`);
      const others = (rows: number[][]): number[] => (rows[k] ?? []).filter((_, j) => j !== k).sort((a, b) => a - b);
      others(plain).forEach((value, i) => assert.ok(Math.abs(value - (others(shuffled)[i] ?? NaN)) < 0.03));
    }
    assert.notEqual(plain.map(rounded).join(';'), shuffled.map(rounded).join(';'));
  });

  it('of the uniform kind favour no class', () => {
    const { targets } = sampleTargets(noSimilarity(classes), { ...options, kind: 'uniform', count: 4000 });
    for (let j = 0; j < classes; j++) {
      const share = sum(rowsOf(targets).map((row) => row[j] ?? NaN)) / 4000;
      assert.ok(Math.abs(share - 1 / classes) < 0.03, `class ${j}: ${share}`);
    }
    assert.deepEqual(targets, sampleTargets(similarity, { ...options, kind: 'uniform', count: 4000 }).targets);
  });

  it('hang on the seed alone', () => {
    assert.deepEqual(sampleTargets(similarity, options), sampleTargets(similarity, options));
    assert.notDeepEqual(
      sampleTargets(similarity, options).targets,
      sampleTargets(similarity, { ...options, seed: 4 }).targets,
    );
  });
});

describe('entropy of targets', () => {
  it('is 0 for one-hot rows and log K for flat ones', () => {
    const [sharp, flat, half] = rowEntropies(Float32Array.of(0, 1, 0, 0, 0.25, 0.25, 0.25, 0.25, 0.5, 0.5, 0, 0), 4);
    assert.equal(sharp, 0);
    assert.ok(Math.abs((flat ?? 0) - Math.log(4)) < 1e-7);
    assert.ok(Math.abs((half ?? 0) - Math.log(2)) < 1e-7);
  });
});
