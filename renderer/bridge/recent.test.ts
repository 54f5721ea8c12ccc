import assert from 'node:assert/strict';
import { it } from 'node:test';
import { keepRecent } from './recent.ts';

it('keeps what was put there last, and what is put there again', () => {
  const recent = keepRecent(2);
  recent.set('a', 1);
  recent.set('b', 2);
  recent.set('a', 3);
  recent.set('c', 4);
  assert.deepEqual(['a', 'b', 'c'].map(recent.get), [3, undefined, 4]);
});
