import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { balanceScore, cloneEfficiency, imbalanceRatio } from './transfer.ts';

describe('clone efficiency', () => {
  it('is 1 at the accuracy of real data, 0 at chance, negative below', () => {
    assert.equal(cloneEfficiency(0.9, 0.9, 0.1), 1);
    assert.equal(cloneEfficiency(0.1, 0.9, 0.1), 0);
    assert.ok((cloneEfficiency(0.05, 0.9, 0.1) ?? 0) < 0);
    assert.ok(Math.abs((cloneEfficiency(0.5, 0.9, 0.1) ?? 0) - 0.5) < 1e-12);
  });

  it('has no meaning when real data teach nothing', () => {
    assert.equal(cloneEfficiency(0.5, 0.1, 0.1), null);
  });
});

describe('balance', () => {
  it('is 1 for equal classes and 0 for one class', () => {
    assert.ok(Math.abs(balanceScore([5, 5, 5, 5]) - 1) < 1e-12);
    assert.equal(balanceScore([0, 9, 0]), 0);
    assert.ok(
      Math.abs(balanceScore([3, 1, 0, 0]) - (0.75 * Math.log(4 / 3) + 0.25 * Math.log(4)) / Math.log(4)) < 1e-12,
    );
    assert.ok(Number.isNaN(balanceScore([0, 0])));
  });

  it('as a ratio compares the largest class with the smallest, an empty one counting as one item', () => {
    assert.equal(imbalanceRatio([8, 4, 2]), 4);
    assert.equal(imbalanceRatio([8, 0, 2]), 8);
    assert.equal(imbalanceRatio([3, 3]), 1);
    assert.ok(Number.isNaN(imbalanceRatio([0, 0])));
  });
});
