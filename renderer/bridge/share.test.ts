import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { share } from './share.ts';

const page = () => ({
  rows: [
    { runId: 'a', tags: ['x'], metrics: { loss: 1 } },
    { runId: 'b', tags: ['y'], metrics: {} },
  ],
  total: 2,
});

describe('sharing what has not changed', () => {
  it('gives the earlier answer when the later one says the same', () => {
    const before = page();
    assert.equal(share(before, page()), before);
  });

  it('keeps each part that is the same, and takes over the others', () => {
    const before = page();
    const after = page();
    after.rows[1]!.tags.push('new');
    const shared = share(before, after);
    assert.deepEqual(shared, after);
    assert.notEqual(shared, before);
    assert.ok(typeof shared === 'object' && shared !== null && 'rows' in shared && Array.isArray(shared.rows));
    assert.equal(shared.rows[0], before.rows[0]);
    assert.notEqual(shared.rows[1], before.rows[1]);
  });

  it('sees what was added, taken away, or turned into undefined', () => {
    const before = { a: 1, b: undefined };
    for (const after of [{ a: 1 }, { a: 1, c: undefined }, { a: 1, b: undefined, c: 2 }, { a: 1, b: null }]) {
      assert.deepEqual(share(before, after), after);
    }
    assert.deepEqual(share([1, 2], [1]), [1]);
    assert.deepEqual(share([1], [1, 2]), [1, 2]);
  });

  it('takes anything else as it comes', () => {
    const when = new Date(0);
    assert.equal(share(new Date(0), when), when);
    assert.equal(share({ a: 1 }, null), null);
    assert.deepEqual(share({ a: 1 }, [1]), [1]);
    assert.ok(Object.is(share(Number.NaN, Number.NaN), Number.NaN));
  });
});
