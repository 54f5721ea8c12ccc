import assert from 'node:assert/strict';
import { it } from 'node:test';
import { squareShare } from './square.ts';

it('halves the square after 10, 50, 200, 500, 1000, 2000, 4000, 6000 and 8000 queries', () => {
  const halvings = (query: number): number => Math.log2(0.8 / squareShare(0.8, query));
  assert.deepEqual(
    [0, 10, 11, 50, 51, 200, 500, 501, 4000, 8000, 8001].map(halvings),
    [0, 0, 1, 1, 2, 2, 3, 4, 6, 8, 9],
  );
});
