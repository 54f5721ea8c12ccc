import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  accuracy,
  agreement,
  argmaxRows,
  classHistogram,
  confusionMatrix,
  perClassRecall,
  topKAccuracy,
} from './classification.ts';

describe('argmax', () => {
  it('takes the first of equals and never NaN', () => {
    assert.deepEqual([...argmaxRows([0, 2, 1, 5, 5, 5, Number.NaN, -1, -2], 3)], [1, 0, 1]);
  });

  it('refuses rows that do not come out even', () => {
    assert.throws(() => argmaxRows([1, 2, 3], 2), { code: 'SHAPE_MISMATCH' });
  });
});

describe('accuracy', () => {
  it('is the share of equal entries', () => {
    assert.equal(accuracy([0, 1, 2, 2], [0, 1, 1, 2]), 0.75);
    assert.equal(agreement([1, 1], [1, 0]), 0.5);
    assert.ok(Number.isNaN(accuracy([], [])));
    assert.throws(() => accuracy([1], [1, 2]), { code: 'SHAPE_MISMATCH' });
  });

  it('among the top k counts labels with fewer than k classes before them', () => {
    const logits = [3, 2, 1, 1, 2, 3, 2, 2, 2];
    const labels = [1, 0, 2];
    assert.deepEqual(
      [1, 2, 3].map((k) => topKAccuracy(logits, labels, 3, k)),
      [0, 1 / 3, 1],
    );
  });

  it('among the top 1 is the accuracy of argmax, ties included', () => {
    const logits = [1, 1, 0, 0, 4, 4, 2, 0, 2];
    const labels = [0, 2, 0];
    assert.equal(topKAccuracy(logits, labels, 3, 1), accuracy(argmaxRows(logits, 3), labels));
  });
});

describe('the confusion matrix', () => {
  it('has true classes in rows and predicted ones in columns', () => {
    assert.deepEqual([...confusionMatrix([0, 1, 1, 2], [0, 0, 1, 0], 3)], [1, 1, 1, 0, 1, 0, 0, 0, 0]);
  });

  it('gives recall by class, NaN for a class without items', () => {
    const recall = perClassRecall([0, 1, 1, 0], [0, 0, 1, 0], 3);
    assert.deepEqual([...recall], [2 / 3, 1, Number.NaN]);
  });

  it('refuses classes out of range', () => {
    assert.throws(() => confusionMatrix([3], [0], 3), { code: 'SHAPE_MISMATCH' });
    assert.throws(() => classHistogram([-1], 3), { code: 'SHAPE_MISMATCH' });
  });
});

describe('the class histogram', () => {
  it('counts the items of every class', () => {
    assert.deepEqual([...classHistogram([2, 0, 2, 2], 4)], [1, 0, 3, 0]);
  });
});
