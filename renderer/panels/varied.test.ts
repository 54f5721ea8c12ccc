import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { variedIn } from './varied.ts';

describe('what was varied among runs', () => {
  it('is whatever does not have one value in all of them', () => {
    const rows = [
      { params: { seed: 0, epsilons: [1, 2], norm: 'l2' }, models: { victim: 'a.onnx' } },
      { params: { seed: 1, epsilons: [1, 2], norm: 'l2' }, models: { victim: 'a.onnx' } },
      { params: { seed: 1, epsilons: [1], norm: 'l2', clip: true }, models: { victim: 'b.onnx' } },
    ];
    assert.deepEqual(
      variedIn(rows).map(({ field }) => field),
      ['models.victim', 'params.seed', 'params.epsilons', 'params.clip'],
    );
  });

  it('is nothing for one run or none', () => {
    assert.deepEqual(variedIn([]), []);
    assert.deepEqual(variedIn([{ params: { seed: 0 }, models: {} }]), []);
  });
});
