import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { stream } from '../../base/rng.ts';
import {
  equalQuotas,
  fillBuckets,
  mostConfident,
  settleShortfall,
  skewedQuotas,
  takeFirst,
  type ChosenSet,
} from './balance.ts';

const upTo = (count: number): Int32Array<ArrayBuffer> => Int32Array.from({ length: count }, (_, i) => i);
const rng = (): ReturnType<typeof stream> => stream(1, 'test');
const buckets = (...sizes: readonly number[]): Int32Array[] => {
  let next = 0;
  return sizes.map((size) => Int32Array.from({ length: size }, () => next++));
};
const timesOf = ({ positions }: ChosenSet, position: number): number =>
  positions.filter((each) => each === position).length;

describe('quotas', () => {
  it('give every class the same, and the rest to the first', () => {
    assert.deepEqual(equalQuotas(12, 4), [3, 3, 3, 3]);
    assert.deepEqual(equalQuotas(14, 4), [4, 4, 3, 3]);
  });

  it('fall with the rank of a class in the pool when skewed', () => {
    // Shares 1, 1/4, 1/9 of the classes 2, 0, 3; class 1 does not occur.
    assert.deepEqual(skewedQuotas(49, [30, 0, 50, 4], 2), [9, 0, 36, 4]);
  });

  it('add up to what was asked for at any skew', () => {
    const histogram = fc.array(fc.nat(50), { minLength: 2, maxLength: 12 }).filter((h) => h.some((n) => n > 0));
    fc.assert(
      fc.property(
        histogram,
        fc.integer({ min: 1, max: 500 }),
        fc.double({ min: 0, max: 8, noNaN: true }),
        (h, n, s) => {
          const quotas = skewedQuotas(n, h, s);
          assert.equal(
            quotas.reduce((a, b) => a + b, 0),
            n,
          );
          assert.ok(quotas.every((quota, k) => quota >= 0 && (h[k] !== 0 || quota === 0)));
        },
      ),
    );
  });
});

describe('bucket fill', () => {
  it('takes the first images of each class in the order of the scan until its bucket is full', () => {
    const labels = [0, 1, 0, 0, 1, 2, 1, 0];
    const filled = fillBuckets(upTo(8), labels, [2, 2, 2]);
    assert.deepEqual(
      filled.map((bucket) => Array.from(bucket)),
      [[0, 2], [1, 4], [5]],
    );
  });

  it('looks at the given positions only', () => {
    assert.deepEqual(
      Array.from(fillBuckets(Int32Array.of(3, 7), [0, 1, 0, 0, 1, 2, 1, 0], [9, 9, 9])[0] ?? []),
      [3, 7],
    );
  });
});

describe('a short class', () => {
  it('changes nothing where there is none', () => {
    const set = settleShortfall(buckets(4, 3, 3), [4, 3, 3], 'cap', rng());
    assert.deepEqual([set.policy, set.positions.length, set.weights], ['none', 10, undefined]);
  });

  it('cuts every class to the shortest with cap', () => {
    const set = settleShortfall(buckets(10, 4, 7), [10, 10, 10], 'cap', rng());
    assert.equal(set.policy, 'cap');
    assert.deepEqual(set.histogram, [4, 4, 4]);
    assert.deepEqual(Array.from(set.positions.slice(0, 4)), [0, 1, 2, 3]);
  });

  it('uses images equally often, give or take one, with repeat', () => {
    const set = settleShortfall(buckets(10, 4, 10), [10, 10, 10], 'repeat', rng());
    assert.deepEqual(set.histogram, [10, 10, 10]);
    assert.deepEqual(set.distinct, [10, 4, 10]);
    const times = [10, 11, 12, 13].map((position) => timesOf(set, position)).toSorted((a, b) => a - b);
    assert.deepEqual(times, [2, 2, 3, 3]);
  });

  it('weighs more with partial, so that every class has the same weight in all and the mean is 1', () => {
    const set = settleShortfall(buckets(10, 4, 10), [10, 10, 10], 'partial', rng());
    assert.deepEqual(set.histogram, [10, 4, 10]);
    const weights = Array.from(set.weights ?? []);
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum(weights.slice(10, 14)) - sum(weights.slice(0, 10))) < 1e-5);
    assert.ok(Math.abs(sum(weights) / 24 - 1) < 1e-6);
  });

  it('is repeated while it has a tenth of its quota, else cut to, when nothing was chosen', () => {
    assert.equal(settleShortfall(buckets(20, 2), [20, 20], 'auto', rng()).policy, 'repeat');
    const cut = settleShortfall(buckets(20, 1), [20, 20], 'auto', rng());
    assert.deepEqual([cut.policy, cut.histogram], ['cap', [1, 1]]);
  });

  it('is left out when the pool has nothing of it, whatever the policy', () => {
    for (const policy of ['auto', 'cap', 'repeat', 'partial'] as const) {
      const set = settleShortfall(buckets(5, 0, 5), [5, 5, 5], policy, rng());
      assert.deepEqual(set.histogram, [5, 0, 5], policy);
    }
  });

  it('never makes a set larger than was asked for, nor of images that are not there', () => {
    const sizes = fc.array(fc.nat(30), { minLength: 2, maxLength: 8 }).filter((list) => list.some((n) => n > 0));
    const policies = fc.constantFrom('auto' as const, 'cap' as const, 'repeat' as const, 'partial' as const);
    fc.assert(
      fc.property(sizes, policies, fc.integer({ min: 1, max: 30 }), (list, policy, quota) => {
        const full = list.map((size) => Math.min(size, quota));
        const set = settleShortfall(
          buckets(...full),
          list.map(() => quota),
          policy,
          rng(),
        );
        assert.ok(set.positions.length > 0 && set.positions.length <= quota * list.length);
        assert.ok(set.distinct.every((count, k) => count <= (full[k] ?? 0)));
        assert.ok(set.positions.every((position) => position >= 0 && position < full.reduce((a, b) => a + b, 0)));
      }),
    );
  });
});

describe('an unbalanced set', () => {
  it('is the beginning of the scan', () => {
    const set = takeFirst(upTo(8), 5, [0, 1, 0, 0, 1, 2, 1, 0], 3);
    assert.deepEqual([Array.from(set.positions), set.histogram, set.policy], [[0, 1, 2, 3, 4], [3, 2, 0], 'none']);
  });

  it('begins again where the pool is too small', () => {
    const set = takeFirst(upTo(2), 5, [0, 1], 2);
    assert.deepEqual([Array.from(set.positions), set.distinct, set.policy], [[0, 1, 0, 1, 0], [1, 1], 'repeat']);
  });
});

describe('a confidence filter', () => {
  it('keeps the best share of each class, rounded up, in the order of the scan', () => {
    const scores = [0.1, 0.9, 0.5, 0.7, 0.2, 0.3];
    assert.deepEqual(Array.from(mostConfident(scores, [0, 0, 0, 0, 1, 1], 3, 0.5)), [1, 3, 5]);
  });

  it('keeps ties at the threshold', () => {
    assert.deepEqual(Array.from(mostConfident([1, 1, 1, 0], [0, 0, 0, 0], 1, 0.25)), [0, 1, 2]);
  });
});
