import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { listItems, withEnded, withTyped } from './list-text.ts';

describe('a list while it is typed', () => {
  it('that came whole has items only', () => {
    assert.deepEqual(listItems('1,0.1'), { items: ['1', '0.1'], typed: '' });
    assert.deepEqual(listItems(''), { items: [], typed: '' });
  });

  it('keeps what is being typed apart until a comma, a space or a semicolon ends it', () => {
    let text = '1,0.1';
    for (const typed of ['0', '0.', '0.5']) text = withTyped(listItems(text).items, typed);
    assert.deepEqual(listItems(text), { items: ['1', '0.1'], typed: '0.5' });
    for (const end of [',', ' ', ';']) {
      assert.deepEqual(listItems(withTyped(['1'], `0.5${end}`)), { items: ['1', '0.5'], typed: '' });
    }
  });

  it('takes several that are pasted at once', () => {
    assert.deepEqual(listItems(withTyped([], '1, 2 3;4')), { items: ['1', '2', '3'], typed: '4' });
  });

  it('takes what was being typed as an item when the field is left', () => {
    assert.equal(withEnded(withTyped(['1'], '0.5')), '1,0.5');
    assert.deepEqual([withEnded('1,2'), withEnded(''), withEnded(' 7')], ['1,2', '', '7']);
  });

  it('is empty when the last item is taken away', () => assert.equal(withTyped([], ''), ''));
});
