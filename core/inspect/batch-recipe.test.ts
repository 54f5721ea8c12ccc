import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32, int64, tensor, type Tensor } from '../base/tensor.ts';
import { findRecipe } from './batch-recipe.ts';

const sizes = [5, 7, 11];
const found = (make: (n: number) => Tensor): string | undefined => findRecipe(sizes, sizes.map(make))?.kind;
const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

describe('the rule behind a constant that follows the batch size', () => {
  it('is a line for whole numbers', () => {
    assert.deepEqual(
      findRecipe(
        sizes,
        sizes.map((n) => int64([3], [3 * n, -1, 2 - n])),
      ),
      { kind: 'ints', dims: [3], scale: [3, 0, -1], offset: [0, -1, 2] },
    );
  });
  it('is a quotient or a product for floats', () => {
    assert.equal(
      found((n) => float32([], [2 / (9 * n)])),
      'quotient',
    );
    assert.equal(
      found((n) => float32([2], [n, 3 * n])),
      'product',
    );
  });
  it('is a filled shape, whose value may follow as well', () => {
    assert.equal(
      found((n) => float32([n, 2], Array<number>(2 * n).fill(4))),
      'fill',
    );
    assert.deepEqual(
      findRecipe(
        sizes,
        sizes.map((n) => float32([n], Array<number>(n).fill(-1 / n))),
      ),
      { kind: 'fill', dtype: 'float32', value: { kind: 'quotient', dims: [], factor: [-1] }, scale: [1], offset: [0] },
    );
    assert.equal(
      found((n) => tensor('bool', [n], new Uint8Array(n).fill(1))),
      'fill',
    );
  });
  it('is a count along the batch', () => {
    assert.deepEqual(
      findRecipe(
        sizes,
        sizes.map((n) =>
          int64(
            [n, 2],
            range(n).flatMap((i) => [6 * i, 6 * i + 3]),
          ),
        ),
      ),
      { kind: 'rows', dims: [2], step: 6, inner: [0, 3] },
    );
  });
  it('is a row, or a few, for each image', () => {
    const row = (values: readonly number[]) => (n: number) =>
      float32(
        [n, 3],
        range(n).flatMap(() => values),
      );
    assert.equal(found(row([1, 2, 3])), 'copies');
    assert.equal(
      found((n) =>
        int64(
          [2 * n],
          range(n).flatMap(() => [4, 9]),
        ),
      ),
      'copies',
    );
    assert.equal(
      found((n) =>
        float32(
          [n, 3],
          range(n).flatMap((i) => [1, 2, i === 4 ? 4 : 3]),
        ),
      ),
      undefined,
    );
    // Along the second axis it is another matter.
    assert.equal(
      found((n) =>
        float32(
          [3, n],
          [1, 2, 3].flatMap((value) => range(n).map(() => value)),
        ),
      ),
      undefined,
    );
  });
  it('is none where the third size contradicts the first two', () => {
    assert.equal(
      found((n) => int64([1], [n === 11 ? 12 : n])),
      undefined,
    );
    assert.equal(
      found((n) => int64([1], [n * n])),
      undefined,
    );
    assert.equal(
      found((n) => float32([], [Math.sqrt(n)])),
      undefined,
    );
    assert.equal(
      found((n) => float32([n], range(n))),
      undefined,
    );
    assert.equal(
      found((n) => int64([1], [Math.floor(n / 2)])),
      undefined,
    );
  });
});
