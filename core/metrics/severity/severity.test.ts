import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { permutation, stream } from '../../base/rng.ts';
import { costMatrix } from './dissimilarity.ts';
import {
  concentration,
  fitTemperature,
  flipMatrix,
  normaliseRows,
  packFlips,
  pickFlips,
  recordFlips,
  unpackFlips,
  type Flips,
} from './flips.ts';
import { drawResamples, estimate, pairedDifference, type Statistic } from './resampling.ts';
import {
  confidenceMetrics,
  costSummary,
  flipCounts,
  fooledByAll,
  rankMetrics,
  severity,
  severityByClass,
  worstOverAttacks,
} from './severity.ts';

// Four images, three classes. Image 0 stands, 1 and 2 are fooled, 3 flips from a wrong answer to the true one.
const clean = Float32Array.of(3, 2, 1, 3, 2, 1, 0, 5, 4, 1, 2, 3);
const attacked = Float32Array.of(3, 2, 1, 2, 3, 1, 6, 1, 2, 3, 2, 1);
const labels = Int32Array.of(0, 0, 1, 0);
const flips = recordFlips({ clean, attacked, labels, classes: 3 });
const once = drawResamples(4, stream(0), 1);
const value = (statistic: Statistic | undefined): number | null => {
  assert.ok(statistic);
  return estimate(statistic, once).value;
};

describe('the columns of flips', () => {
  it('hold answers and one-based ranks on both sides', () => {
    assert.deepEqual([...flips.before], [0, 0, 1, 2]);
    assert.deepEqual([...flips.after], [0, 1, 0, 0]);
    assert.deepEqual([...flips.fooled], [0, 1, 1, 1]);
    assert.deepEqual([...flips.oldRank], [1, 2, 3, 3]);
    assert.deepEqual([...flips.newRank], [1, 2, 3, 3]);
  });

  it('rank the lower class first among equal logits', () => {
    const tied = recordFlips({ clean: Float32Array.of(1, 1, 0), attacked: Float32Array.of(0, 1, 1), classes: 3 });
    assert.deepEqual([tied.before[0], tied.after[0], tied.oldRank[0], tied.newRank[0]], [0, 1, 3, 2]);
  });

  it('hold probabilities worked out by hand', () => {
    const e = Math.exp(1);
    const sum = 1 + e + e * e;
    assert.ok(Math.abs(flips.oldConfidenceBefore[1]! - (e * e) / sum) < 1e-12);
    assert.ok(Math.abs(flips.oldConfidence[1]! - e / sum) < 1e-12);
    assert.ok(Math.abs(flips.gap[1]! - (e * e - e) / sum) < 1e-12);
    assert.equal(flips.divergence[0], 0);
    assert.ok(Math.abs(flips.entropyChange[1]!) < 1e-12, 'the same probabilities in another order');
  });

  it('are put together from pieces, and come back from a file', () => {
    const pieces = [0, 2].map((from) =>
      recordFlips({
        clean: clean.subarray(3 * from, 3 * from + 6),
        attacked: attacked.subarray(3 * from, 3 * from + 6),
        labels: labels.subarray(from, from + 2),
        classes: 3,
      }),
    );
    const about = { count: 4, classes: 3, labels };
    const joined = pickFlips(about, (i) => ({ flips: pieces[Math.floor(i / 2)] ?? flips, row: i % 2 }));
    assert.deepEqual(joined, flips);
    assert.deepEqual(unpackFlips(packFlips(flips), 3, labels), flips);
    assert.equal(unpackFlips(packFlips(flips).subarray(1), 3, labels), undefined);
  });

  it('refuse logits and labels that do not fit', () => {
    assert.throws(() => recordFlips({ clean, attacked: clean.slice(3), classes: 3 }), { code: 'SHAPE_MISMATCH' });
    assert.throws(() => recordFlips({ clean, attacked, labels: labels.slice(1), classes: 3 }), /labels/);
  });

  it('count into a matrix of answers before and after', () => {
    assert.deepEqual([...flipMatrix(flips)], [1, 1, 0, 1, 0, 0, 1, 0, 0]);
    assert.deepEqual([...normaliseRows(flipMatrix(flips), 3)], [0.5, 0.5, 0, 1, 0, 0, 1, 0, 0]);
    assert.deepEqual([...normaliseRows(new Int32Array(4), 2)], [0, 0, 0, 0]);
  });

  it('say how concentrated the new labels are', () => {
    assert.deepEqual(concentration(flips).dominant, 0);
    assert.equal(concentration(flips).dominantShare, 2 / 3);
    assert.equal(concentration(flips).labelsFor95, 2);
    const stood = recordFlips({ clean, attacked: clean, classes: 3 });
    assert.deepEqual(concentration(stood), { dominant: null, dominantShare: null, labelsFor95: 0, spread: null });
  });
});

describe('flip counts and ranks', () => {
  it('keep fooling rate, attack success and robust error apart', () => {
    const counts = flipCounts(flips);
    assert.equal(value(counts['foolingRate']), 3 / 4);
    assert.equal(value(counts['attackSuccess']), 2 / 3);
    assert.equal(value(counts['robustError']), 2 / 4);
    assert.equal(value(counts['repaired']), 1 / 3);
    assert.deepEqual(Object.keys(flipCounts({ ...flips, labels: undefined })), ['foolingRate']);
  });

  it('are FDA’s zero-based means over all images, and the share that left the top 1 is the fooling rate', () => {
    // A direct port: sort, find the position, average over everything.
    const position = (logits: Float32Array, i: number, k: number): number =>
      [0, 1, 2].sort((a, b) => logits[i * 3 + b]! - logits[i * 3 + a]!).indexOf(k);
    const mean = (each: (i: number) => number): number => [0, 1, 2, 3].reduce((sum, i) => sum + each(i), 0) / 4;
    const ranks = rankMetrics(flips);
    assert.equal(
      value(ranks['oldLabelNewRank']),
      mean((i) => position(attacked, i, flips.before[i]!)),
    );
    assert.equal(
      value(ranks['newLabelOldRank']),
      mean((i) => position(clean, i, flips.after[i]!)),
    );
    assert.equal(value(ranks['oldLabelNewRankFooled']), 5 / 3);
    assert.equal(value(ranks['oldLabelNewRankNormalised']), 5 / 6);
    assert.equal(value(ranks['leftTop1']), value(flipCounts(flips)['foolingRate']));
    assert.equal(value(ranks['leftTop1']), 3 / 4);
    assert.ok(Math.abs((value(ranks['reciprocalRankDrop']) ?? 0) - (0 + 1 / 2 + 2 / 3 + 2 / 3) / 4) < 1e-12);
    assert.equal(ranks['leftTop3'], undefined, 'of three classes nothing leaves the top three');
  });

  it('give confidence over fooled images only, and nothing where none is fooled', () => {
    const confidence = confidenceMetrics(flips);
    const fooled = [1, 2, 3].map((i) => flips.newConfidence[i]!);
    const mean = fooled.reduce((a, b) => a + b, 0) / 3;
    assert.ok(Math.abs((value(confidence['newConfidence']) ?? 0) - mean) < 1e-12);
    const stood = confidenceMetrics(recordFlips({ clean, attacked: clean, classes: 3 }));
    assert.equal(value(stood['newConfidence']), null);
    assert.equal(value(stood['confidenceDrop']), 0);
  });

  it('find the temperature at which confidence is honest', () => {
    // Two classes, 75 % right at logits ±4: honest are logits ±ln(3)/2, so T = 8 / ln 3.
    const logits = Float32Array.from({ length: 80 }, (_, i) => (i % 2 === 0 ? 4 : -4));
    const truth = Int32Array.from({ length: 40 }, (_, i) => Number(i % 4 === 0));
    assert.ok(Math.abs(fitTemperature(logits, truth, 2) - 8 / Math.log(3)) < 1e-3);
  });
});

/** `count` flips of classes `k`, each to a wrong label drawn uniformly. */
function randomFlips(count: number, classes: number): Flips {
  const rng = stream(3, 'flips');
  const before = Int32Array.from({ length: count }, () => rng.int(classes));
  const after = before.map((a) => (a + 1 + rng.int(classes - 1)) % classes);
  const oneHot = (answers: Int32Array): Float32Array =>
    Float32Array.from({ length: count * classes }, (_, at) =>
      Number(answers[Math.floor(at / classes)] === at % classes),
    );
  return recordFlips({ clean: oneHot(before), attacked: oneHot(after), classes });
}

const randomDistances = (classes: number): Float64Array => {
  const rng = stream(4, 'distances');
  return Float64Array.from({ length: classes * classes }, (_, at) => (at % (classes + 1) === 0 ? 0 : rng.uniform()));
};

describe('chance-corrected severity', () => {
  it('is one, within its interval, for uniformly random flips', () => {
    const random = randomFlips(20_000, 10);
    const { corrected, harm } = severity(random, { values: randomDistances(10) });
    const found = estimate(corrected, drawResamples(random.count, stream(1), 200));
    assert.ok(found.value !== null && found.low !== null && found.high !== null);
    assert.ok(Math.abs(found.value - 1) < 0.05, String(found.value));
    assert.ok(found.low < 1 && found.high > 1 && found.high - found.low < 0.05);
    assert.equal(value(harm), found.value, 'every image is fooled');
  });

  it('is the mean distance over the mean distance of all wrong labels', () => {
    // Flips 0→1 (1), 1→0 (1), 2→0 (4); chance 2.5, 2, 5 over their rows.
    const values = Float64Array.of(0, 1, 4, 1, 0, 3, 4, 6, 0);
    const found = severity(flips, { values });
    assert.equal(value(found.severity), 2);
    assert.equal(value(found.corrected), 6 / 9.5);
    assert.equal(value(found.harm), (3 / 4) * (6 / 9.5));
    const second = severity(flips, { values }, Uint8Array.of(0, 1, 0, 0));
    assert.equal(value(second.corrected), 1 / 2.5);
    assert.equal(value(second.harm), 1 / 2.5);
  });

  it('is undefined where nothing is fooled, where all distances are zero, and with two classes', () => {
    const values = Float64Array.of(0, 1, 4, 1, 0, 3, 4, 6, 0);
    const stood = severity(recordFlips({ clean, attacked: clean, classes: 3 }), { values });
    assert.deepEqual([value(stood.corrected), value(stood.harm)], [null, 0]);
    assert.equal(value(severity(flips, { values: new Float64Array(9) }).corrected), null);
    const two = recordFlips({ clean: Float32Array.of(1, 0), attacked: Float32Array.of(0, 1), classes: 2 });
    assert.equal(
      estimate(severity(two, { values: Float64Array.of(0, 1, 1, 0) }).corrected, drawResamples(1, stream(0), 2)).value,
      null,
    );
  });

  it('does not change when the classes are put into another order', () => {
    const k = 7;
    const random = randomFlips(500, k);
    const values = randomDistances(k);
    const order = permutation(stream(5), k);
    const moved = new Float64Array(k * k);
    for (let a = 0; a < k; a++) for (let b = 0; b < k; b++) moved[order[a]! * k + order[b]!] = values[a * k + b]!;
    const renamed = {
      ...random,
      before: random.before.map((a) => order[a]!),
      after: random.after.map((b) => order[b]!),
    };
    const [one, other] = [severity(random, { values }), severity(renamed, { values: moved })];
    for (const key of ['severity', 'corrected', 'harm'] as const) {
      const [a, b] = [one[key], other[key]].map((statistic) => estimate(statistic, drawResamples(500, stream(6), 20)));
      assert.ok(a && b && a.value !== null && b.value !== null && Math.abs(a.value - b.value) < 1e-12, key);
      assert.ok(Math.abs((a.low ?? 0) - (b.low ?? 1)) < 1e-12);
    }
  });

  it('differs by exactly nothing between an attack and itself', () => {
    const { corrected } = severity(flips, { values: randomDistances(3) });
    const resamples = drawResamples(4, stream(7), 100);
    assert.deepEqual(pairedDifference(corrected, corrected, resamples), { value: 0, low: 0, high: 0 });
  });

  it('tells images fooled by every attack, the worst flip of each image and the worst classes', () => {
    const other = recordFlips({
      clean,
      attacked: Float32Array.from([...attacked.slice(0, 6), ...clean.slice(6)]),
      classes: 3,
    });
    assert.deepEqual([...fooledByAll([flips, other])], [0, 1, 0, 0]);
    const values = Float64Array.of(0, 1, 4, 1, 0, 3, 4, 6, 0);
    assert.deepEqual([...worstOverAttacks([flips, other], values)], [0, 1, 1, 4]);
    assert.deepEqual(severityByClass(flips, values), [
      { fooled: 1, severity: 1 },
      { fooled: 1, severity: 1 },
      { fooled: 1, severity: 4 },
    ]);
  });
});

describe('the cost of flips', () => {
  const costs = costMatrix(
    [
      [0, 1, 2],
      [8, 0, 3],
      [5, 4, 0],
    ],
    3,
    'costs.csv',
  );

  it('is its mean, its tail, and the share of flips that must never happen', () => {
    // Flips cost 1, 8 and 5; the 90th percentile of the six costs is 8.
    assert.equal(costs.threshold, 8);
    const found = costSummary(flips, costs);
    assert.ok(Math.abs((found.mean ?? 0) - 14 / 3) < 1e-12);
    assert.ok(Math.abs((found.p95 ?? 0) - 7.7) < 1e-12);
    assert.equal(found.cvar95, 8);
    assert.equal(found.neverEvents, 0);
    assert.equal(costSummary(flips, { ...costs, threshold: 4 }).neverEvents, 2 / 4);
    assert.equal(costSummary(recordFlips({ clean, attacked: clean, classes: 3 }), costs).mean, null);
  });

  it('averages the costliest twentieth of many flips', () => {
    const count = 100;
    const before = new Int32Array(count);
    const after = Int32Array.from({ length: count }, (_, i) => 1 + Number(i < 5));
    const many = { ...flips, count, before, after, fooled: new Uint8Array(count).fill(1) };
    const found = costSummary(
      many,
      costMatrix(
        [
          [0, 1, 9],
          [1, 0, 1],
          [1, 1, 0],
        ],
        3,
        'c',
      ),
    );
    assert.equal(found.cvar95, 9);
    assert.ok(Math.abs((found.mean ?? 0) - 1.4) < 1e-12);
  });

  const bad: readonly (readonly [string, number[][], RegExp])[] = [
    ['is not square', [[0, 1], [1]], /square matrix, got 2 rows of which row 2 has 1/],
    [
      'is of another size than the model',
      [
        [0, 1],
        [1, 0],
      ],
      /3 × 3 costs .* got 2 × 2/,
    ],
    [
      'holds something below zero',
      [
        [0, 1, 1],
        [1, 0, -1],
        [1, 1, 0],
      ],
      /at least 0/,
    ],
    [
      'charges for answers that stand',
      [
        [1, 1, 1],
        [1, 0, 1],
        [1, 1, 0],
      ],
      /0 on the diagonal/,
    ],
  ];
  for (const [what, rows, message] of bad) {
    it(`refuses a matrix that ${what}`, () => {
      assert.throws(() => costMatrix(rows, 3, 'costs.csv'), { code: 'PARAM_INVALID', message });
    });
  }
});
