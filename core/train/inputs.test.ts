import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { memorySet, type ImageSet } from '../data/dataset.ts';
import { classNamesOf, labelledByName } from './inputs.ts';

describe('names of classes', () => {
  const data = { labelNames: ['a', 'b'] };

  it('are what the user calls those of the model, else the data’s, else numbers', () => {
    assert.deepEqual(classNamesOf({ classes: 2, classNames: ['x', 'y'] }, data), ['x', 'y']);
    assert.deepEqual(classNamesOf({ classes: 2 }, undefined, data), ['a', 'b']);
    assert.deepEqual(classNamesOf({ classes: 2 }), ['0', '1']);
  });

  it('are left alone when there are not as many as classes', () => {
    assert.deepEqual(classNamesOf({ classes: 3, classNames: ['x', 'y'] }, data), ['0', '1', '2']);
  });
});

describe('labels of data whose classes have names', () => {
  const set = (labelNames?: readonly string[]): ImageSet =>
    memorySet({
      title: 'pets',
      images: new Float32Array(12),
      shape: [1, 2, 2],
      labels: Int32Array.of(0, 1, 1),
      labelNames,
    });
  const labelsOf = (labelNames: readonly string[] | undefined, classNames: readonly string[]): number[] => [
    ...(labelledByName(set(labelNames), classNames).labels ?? []),
  ];

  it('are numbered as the model numbers its classes', () => {
    const found = labelledByName(set(['cat', 'Traffic_light']), ['traffic light', 'dog', 'cat']);
    assert.deepEqual([...(found.labels ?? [])], [2, 0, 0]);
    assert.deepEqual([found.title, found.labelNames], ['pets, labels by name', ['traffic light', 'dog', 'cat']]);
    assert.deepEqual(labelsOf(['tench', 'cock'], ['cock, rooster', 'tench, Tinca tinca']), [1, 0, 0]);
  });

  it('stay as they are where the order is the same, a name is unknown, or belongs to several classes', () => {
    const same = set(['a', 'b']);
    assert.equal(labelledByName(same, ['a', 'b', 'c']), same);
    assert.deepEqual(labelsOf(['b', 'x'], ['a', 'b']), [0, 1, 1]);
    assert.deepEqual(labelsOf(['b', 'crane'], ['crane, bird', 'crane, machine', 'b']), [0, 1, 1]);
    assert.deepEqual(labelsOf(['b', 'B'], ['a', 'b']), [0, 1, 1]);
    assert.deepEqual(labelsOf(undefined, ['b', 'a']), [0, 1, 1]);
  });
});
