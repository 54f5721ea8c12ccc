import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inPieces, pickedImages } from './images.ts';

describe('the audited images', () => {
  const asked: number[] = [];
  const set = {
    shape: [1, 1, 2] as const,
    async read(indices: ArrayLike<number>, out: Float32Array): Promise<void> {
      asked.push(indices.length);
      Array.from(indices).forEach((index, i) => out.set([index, -index], 2 * i));
    },
  };
  const images = pickedImages(set, Int32Array.of(7, 3, 9, 1, 5));

  it('are read in their order, never more at once than were asked for', async () => {
    assert.deepEqual([...(await images.at([4, 0]))], [5, -5, 7, -7]);
    const pieces: string[] = [];
    asked.length = 0;
    for await (const { from, to, images: rows } of inPieces(images, 2, new AbortController().signal))
      pieces.push(`${from}-${to}: ${rows.join(' ')}`);
    assert.deepEqual(pieces, ['0-2: 7 -7 3 -3', '2-4: 9 -9 1 -1', '4-5: 5 -5']);
    assert.deepEqual(asked, [2, 2, 1]);
  });

  it('are read no further once a cancel has come', async () => {
    const stop = new AbortController();
    asked.length = 0;
    const read = async (): Promise<void> => {
      for await (const { from } of inPieces(images, 1, stop.signal)) if (from === 1) stop.abort();
    };
    await assert.rejects(read(), { name: 'AbortError' });
    assert.equal(asked.length, 2);
  });
});
