import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createChunker } from './chunks.ts';

/** Sizes of the chunks of a loop whose steps take `stepMs`. */
function sizes(total: number, stepMs: number, options: Parameters<typeof createChunker>[0] = {}): number[] {
  const chunker = createChunker(options);
  const found: number[] = [];
  for (let left = total; left > 0;) {
    const count = chunker.next(left);
    found.push(count);
    chunker.done(count, count * stepMs);
    left -= count;
  }
  return found;
}

describe('a chunker', () => {
  it('grows by at most four at a time up to the target', () => {
    assert.deepEqual(sizes(200, 10).slice(0, 5), [1, 4, 16, 50, 50]);
  });

  it('falls at once when steps become slow', () => {
    const chunker = createChunker({ first: 100 });
    chunker.done(100, 20_000);
    assert.equal(chunker.next(100), 2);
  });

  it('runs one step at a time when a step takes longer than the target', () => {
    assert.deepEqual(sizes(3, 5000), [1, 1, 1]);
  });

  it('never runs more than is left, nor more than is allowed', () => {
    assert.deepEqual(sizes(10, 0, { first: 4 }), [4, 6]);
    assert.equal(Math.max(...sizes(2000, 0, { most: 64 })), 64);
  });

  it('keeps going when the clock stands still or runs backwards', () => {
    assert.ok(sizes(100, 0).every((size) => size >= 1));
    assert.ok(sizes(100, -5).every((size) => size >= 1));
  });
});
