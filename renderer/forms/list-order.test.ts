import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { moved, toggled } from './list-order.ts';

describe('a list whose order counts', () => {
  it('takes what is switched on as its last item, and keeps the others in their order', () => {
    assert.deepEqual(toggled(['pgd', 'apgd-ce'], 'fgsm'), ['pgd', 'apgd-ce', 'fgsm']);
    assert.deepEqual(toggled(['pgd', 'apgd-ce', 'fgsm'], 'pgd'), ['apgd-ce', 'fgsm']);
  });

  it('moves an item, not beyond its ends', () => {
    const items = ['a', 'b', 'c'];
    assert.deepEqual(moved(items, 'a', 1), ['b', 'a', 'c']);
    assert.deepEqual(moved(items, 'c', -2), ['c', 'a', 'b']);
    assert.deepEqual([moved(items, 'a', -1), moved(items, 'c', 5), moved(items, 'x', 1)], [items, items, items]);
  });
});
