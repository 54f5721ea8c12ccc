import assert from 'node:assert/strict';
import { it } from 'node:test';
import { stream } from '../base/rng.ts';
import { squareShare } from './square.ts';
import { drawCorner } from './square-l2.ts';

it('halves the square after 10, 50, 200, 500, 1000, 2000, 4000, 6000 and 8000 queries', () => {
  const halvings = (query: number): number => Math.log2(0.8 / squareShare(0.8, query));
  assert.deepEqual(
    [0, 10, 11, 50, 51, 200, 500, 501, 4000, 8000, 8001].map(halvings),
    [0, 0, 1, 1, 2, 2, 3, 4, 6, 8, 9],
  );
});

it('places squares anywhere in the image, or as released never on the last row and column', () => {
  const lastOf = (reachesEdges: boolean, side: number): readonly [number, number] => {
    const rng = stream(0, 'corners');
    const form = { shape: [1, 6, 8], bounds: [0, 1], epsilon: 1, reachesEdges } as const;
    const corners = Array.from({ length: 400 }, () => drawCorner(form, side, rng));
    assert.ok(corners.some(({ top }) => top === 0) && corners.some(({ left }) => left === 0));
    return [Math.max(...corners.map(({ top }) => top)) + side, Math.max(...corners.map(({ left }) => left)) + side];
  };
  assert.deepEqual(lastOf(true, 3), [6, 8]);
  assert.deepEqual(lastOf(false, 3), [5, 7]);
  // A square as high as the image stays at its top.
  assert.deepEqual(lastOf(false, 6), [6, 7]);
});
