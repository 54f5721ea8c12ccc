import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { permutation, stream } from '../base/rng.ts';
import { batchIndices, createBatchOrder } from './batches.ts';

describe('the batch order', () => {
  it('is the permutations of the epochs, one after the other', () => {
    const order = createBatchOrder(7, 'train', 5, 3);
    const got = [0, 1, 2, 3, 4].flatMap((step) => [...order.at(step)]);
    assert.deepEqual(
      got,
      [0, 1, 2].flatMap((epoch) => [...permutation(stream(7, 'train', epoch), 5)]),
    );
  });

  it('gives a step the same batch whatever was asked before', () => {
    fc.assert(
      fc.property(
        fc.nat(99),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 30 }),
        fc.array(fc.nat(40), { minLength: 1, maxLength: 12 }),
        (seed, count, batchSize, steps) => {
          const order = createBatchOrder(seed, 'train', count, batchSize);
          for (const step of steps)
            assert.deepEqual(order.at(step), batchIndices(seed, 'train', count, batchSize, step));
        },
      ),
      { numRuns: 50, seed: 1 },
    );
  });

  it('shows every item equally often when a batch is larger than the set', () => {
    const counts = new Array<number>(3).fill(0);
    for (const item of batchIndices(1, 'x', 3, 12, 5)) counts[item] = (counts[item] ?? 0) + 1;
    assert.deepEqual(counts, [4, 4, 4]);
  });

  it('differs between seeds, names and epochs', () => {
    const first = [...batchIndices(1, 'a', 50, 50, 0)];
    assert.notDeepEqual([...batchIndices(2, 'a', 50, 50, 0)], first);
    assert.notDeepEqual([...batchIndices(1, 'b', 50, 50, 0)], first);
    assert.notDeepEqual([...batchIndices(1, 'a', 50, 50, 1)], first);
  });

  it('needs items and a batch size', () => {
    assert.throws(() => createBatchOrder(1, 'a', 0, 5), { code: 'INTERNAL' });
    assert.throws(() => createBatchOrder(1, 'a', 5, 0), { code: 'INTERNAL' });
  });
});
