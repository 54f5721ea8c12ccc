import assert from 'node:assert/strict';
import { it } from 'node:test';
import { nextZoom, usualZoom } from './zoom.ts';

it('a picture opens as large as the window shows it whole', () => {
  assert.deepEqual(
    [28, 300, 600, 5000].map((width) => usualZoom(width, 1440)),
    [16, 2, 1, 1],
  );
});

it('plus and minus stop at the ends', () => {
  assert.deepEqual([nextZoom(4, 1), nextZoom(4, -1), nextZoom(1, -1), nextZoom(16, 1)], [8, 2, 1, 16]);
});
