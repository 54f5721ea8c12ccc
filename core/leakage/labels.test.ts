import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stream } from '../base/rng.ts';
import { labelOverlap, labelRules, recoverLabels, type LabelEvidence, type LabelRule } from './labels.ts';
import { labelPriors } from './labels-priors.ts';
import { softmaxRows } from '../metrics/probabilities.ts';

interface Head {
  readonly classes: number;
  readonly labels: readonly number[];
  /** Deviation of the weights. */
  readonly spread: number;
  readonly features: 'positive' | 'mixed';
  readonly seed: number;
  /** Draws other inputs for the same head. */
  readonly inputSeed?: number;
  /** Multiplies the logit of the true class, as in a trained network. */
  readonly margin?: number;
}

/** The exact gradient of a linear layer with 12 features under the mean cross-entropy, in float64. */
function evidenceOf({ classes, labels, spread, features, seed, inputSeed, margin = 0 }: Head): LabelEvidence & {
  readonly probabilities: Float64Array;
} {
  const rng = stream(seed, 'head');
  const size = 12;
  const draw = (count: number, scale: number): Float64Array =>
    Float64Array.from({ length: count }, () => scale * rng.normal());
  const [weight, bias] = [draw(classes * size, spread), draw(classes, spread)];
  const other = inputSeed === undefined ? rng : stream(inputSeed, 'inputs');
  const inputs = Float64Array.from({ length: labels.length * size }, () => {
    const value = other.normal();
    return features === 'positive' ? Math.abs(value) : value;
  });
  const logits = Float64Array.from({ length: labels.length * classes }, (_, at) => {
    const [k, i] = [Math.floor(at / classes), at % classes];
    let sum = bias[i]! + (labels[k] === i ? margin : 0);
    for (let f = 0; f < size; f++) sum += weight[i * size + f]! * inputs[k * size + f]!;
    return sum;
  });
  const probabilities = softmaxRows(logits, classes);
  const biasGradient = new Float64Array(classes);
  const weightGradient = new Float64Array(classes * size);
  labels.forEach((label, k) => {
    for (let i = 0; i < classes; i++) {
      const error = (probabilities[k * classes + i]! - (i === label ? 1 : 0)) / labels.length;
      biasGradient[i]! += error;
      for (let f = 0; f < size; f++) weightGradient[i * size + f]! += error * inputs[k * size + f]!;
    }
  });
  const batchSize = labels.length;
  const hasNonNegativeFeatures = features === 'positive';
  return { weightGradient, biasGradient, classes, batchSize, weight, bias, hasNonNegativeFeatures, probabilities };
}

const someLabels = (seed: number, count: number, classes: number): number[] => {
  const rng = stream(seed, 'labels');
  return Array.from({ length: count }, () => rng.int(classes));
};

const meanOverlap = (rule: LabelRule, count: number, batch: number, change: (head: Head) => LabelEvidence): number => {
  let sum = 0;
  for (let seed = 0; seed < count; seed++) {
    const labels = someLabels(seed, batch, 10);
    const evidence = change({ classes: 10, labels, spread: 0.1, features: 'positive', seed });
    sum += labelOverlap(recoverLabels(rule, evidence).labels, labels);
  }
  return sum / count;
};

describe('the label of one image', () => {
  for (const rule of ['L1', 'L1-sign', 'L2'] as const) {
    it(`is told by ${rule} of each of 200 random heads`, () => {
      for (let seed = 0; seed < 200; seed++) {
        const labels = someLabels(seed, 1, 10);
        const found = recoverLabels(rule, evidenceOf({ classes: 10, labels, spread: 0.7, features: 'positive', seed }));
        assert.deepEqual([found.labels, found.notes], [labels, []]);
      }
    });
  }
  it('is told by signs and by the bias where features have both signs, and L1 says that it assumes otherwise', () => {
    let wrong = 0;
    for (let seed = 0; seed < 50; seed++) {
      const labels = someLabels(seed, 1, 10);
      const evidence = evidenceOf({ classes: 10, labels, spread: 0.7, features: 'mixed', seed });
      for (const rule of ['L1-sign', 'L2'] as const) assert.deepEqual(recoverLabels(rule, evidence).labels, labels);
      const first = recoverLabels('L1', { ...evidence, hasNonNegativeFeatures: undefined });
      assert.match(first.notes.join(), /signs of the gradient contradict/);
      wrong += Number(first.labels?.[0] !== labels[0]);
    }
    assert.ok(wrong > 5, 'row sums do go wrong there');
  });
  it('of two classes is beyond the sign rule, which says so', () => {
    const evidence = evidenceOf({ classes: 2, labels: [1], spread: 0.3, features: 'positive', seed: 1 });
    const { labels, notes } = recoverLabels('L1-sign', evidence);
    assert.equal(labels, undefined);
    assert.match(notes.join(), /two classes/);
    for (const rule of ['L1', 'L2'] as const) assert.deepEqual(recoverLabels(rule, evidence).labels, [1]);
  });
  it('is not looked for in a batch, nor without a bias', () => {
    const batch = evidenceOf({ classes: 10, labels: [1, 2], spread: 0.1, features: 'positive', seed: 1 });
    for (const rule of ['L1', 'L1-sign', 'L2'] as const) {
      const { labels, notes } = recoverLabels(rule, batch);
      assert.deepEqual([labels, notes], [undefined, ['Holds for one image only; the batch has 2.']]);
    }
    const bare: LabelEvidence = {
      ...evidenceOf({ classes: 10, labels: [1], spread: 0.1, features: 'positive', seed: 1 }),
      biasGradient: undefined,
    };
    for (const rule of ['L2', 'L5', 'L6', 'L7'] as const) assert.equal(recoverLabels(rule, bare).labels, undefined);
    assert.deepEqual(recoverLabels('L1', bare).labels, [1]);
  });
});

describe('a gradient that vanished', () => {
  it('gives no label by any rule', () => {
    const evidence = evidenceOf({ classes: 10, labels: [3], spread: 0.1, features: 'positive', seed: 1 });
    const nothing = { ...evidence, weightGradient: new Float64Array(120), biasGradient: new Float64Array(10) };
    for (const rule of labelRules) {
      const { labels, notes } = recoverLabels(rule, nothing);
      assert.equal(labels, undefined);
      assert.match(notes.join(), /gradient vanished \(norm 0/);
    }
  });
  it('and one that is faint or not finite are told apart', () => {
    const evidence = evidenceOf({ classes: 10, labels: [3], spread: 0.1, features: 'positive', seed: 1 });
    const faint = {
      ...evidence,
      weightGradient: Float64Array.from(evidence.weightGradient, (v) => v * 1e-8),
      biasGradient: undefined,
    };
    const found = recoverLabels('L1', faint);
    assert.deepEqual(found.labels, [3]);
    assert.match(found.notes.join(), /faint/);
    const broken = recoverLabels('L2', { ...evidence, biasGradient: new Float64Array(10).fill(Number.NaN) });
    assert.deepEqual([broken.labels, broken.notes], [undefined, ['The gradient is not finite.']]);
  });
});

describe('the labels of a batch', () => {
  it('are named by L3 as long as none is repeated', () => {
    const labels = [7, 2, 9, 4];
    const found = recoverLabels('L3', evidenceOf({ classes: 10, labels, spread: 0.1, features: 'positive', seed: 5 }));
    assert.deepEqual([found.labels, found.notes], [[2, 4, 7, 9], []]);
    const repeated = recoverLabels(
      'L3',
      evidenceOf({ classes: 10, labels: [2, 2, 2], spread: 0.01, features: 'positive', seed: 5 }),
    );
    assert.match(repeated.notes.join(), /some label is repeated/);
  });
  it('are more than L3 can name when there are more images than classes', () => {
    const found = recoverLabels(
      'L3',
      evidenceOf({ classes: 3, labels: [0, 1, 2, 0], spread: 0.1, features: 'positive', seed: 1 }),
    );
    assert.equal(found.labels, undefined);
    assert.match(found.notes.join(), /batch of 4 is larger than the 3 classes/);
  });
  it('drawn at random are named by L3 up to its ceiling K(1 − (1 − 1/K)^B)/B', () => {
    const ceiling = (10 * (1 - 0.9 ** 8)) / 8;
    const overlap = meanOverlap('L3', 200, 8, (head) => evidenceOf({ ...head, spread: 0.02 }));
    assert.ok(Math.abs(overlap - ceiling) < 0.02, `${overlap} against ${ceiling}`);
  });
  it('are counted exactly by L6 from the true mean softmax', () => {
    for (const batch of [2, 8, 32, 100]) {
      const labels = someLabels(batch, batch, 10);
      const evidence = evidenceOf({ classes: 10, labels, spread: 1, features: 'mixed', seed: batch });
      const meanProbabilities = Float64Array.from({ length: 10 }, (_, i) =>
        labels.reduce((sum, _label, k) => sum + evidence.probabilities[k * 10 + i]! / batch, 0),
      );
      const found = recoverLabels('L6', { ...evidence, meanProbabilities });
      assert.deepEqual([found.labels, found.notes], [labels.toSorted((a, b) => a - b), []]);
    }
  });
  for (const batch of [2, 8, 32]) {
    it(`of ${batch} images and a fresh head are named by L6 to 95 %, by L7 to 94 %, by L4 to 80 %`, () => {
      const fresh = (head: Head): LabelEvidence => {
        const dummy = (label: number): LabelEvidence =>
          evidenceOf({ ...head, spread: 0.03, labels: new Array<number>(64).fill(label), inputSeed: 999 });
        return { ...evidenceOf({ ...head, spread: 0.03 }), ...labelPriors(dummy(0), dummy(1)) };
      };
      for (const [rule, bar] of [
        ['L6', 0.95],
        ['L7', 0.94],
        ['L4', 0.8],
      ] as const) {
        const overlap = meanOverlap(rule, 40, batch, fresh);
        assert.ok(overlap >= bar, `${rule}: ${overlap}`);
      }
    });
  }
  it('are named by L7 where a trained head spoils the assumption of L6', () => {
    const trained = (head: Head): LabelEvidence => evidenceOf({ ...head, spread: 0.4, margin: 2 });
    const [l6, l7] = [meanOverlap('L6', 40, 32, trained), meanOverlap('L7', 40, 32, trained)];
    assert.ok(l7 > l6, `${l7} against ${l6}`);
  });
  it('come out in any order of the classes', () => {
    const labels = [5, 5, 1, 8];
    const evidence = evidenceOf({ classes: 10, labels, spread: 0.1, features: 'positive', seed: 9 });
    const turned = (values: ArrayLike<number>, size: number): Float64Array =>
      Float64Array.from(values, (_, at) => values[(9 - Math.floor(at / size)) * size + (at % size)]!);
    const mirrored: LabelEvidence = {
      ...evidence,
      weightGradient: turned(evidence.weightGradient, 12),
      biasGradient: turned(evidence.biasGradient ?? [], 1),
      weight: turned(evidence.weight ?? [], 12),
      bias: turned(evidence.bias ?? [], 1),
    };
    for (const rule of ['L4', 'L5', 'L6', 'L7'] as const) {
      const [one, two] = [recoverLabels(rule, evidence).labels, recoverLabels(rule, mirrored).labels];
      assert.deepEqual(
        two?.map((label) => 9 - label).toSorted((a, b) => a - b),
        one,
        rule,
      );
    }
  });
});

describe('label overlap', () => {
  it('is the share named right, repeated labels counted', () => {
    assert.equal(labelOverlap([1, 2, 2, 3], [3, 2, 1, 2]), 1);
    assert.equal(labelOverlap([1, 1, 1, 1], [1, 1, 2, 3]), 0.5);
    assert.equal(labelOverlap(undefined, [1]), 0);
  });
});

it('gradients that do not fit their layer are refused', () => {
  assert.throws(() => recoverLabels('L1', { weightGradient: new Float64Array(7), classes: 3, batchSize: 1 }), {
    code: 'SHAPE_MISMATCH',
  });
});
