import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { variedIn, variedTitle, variedValue } from './varied.ts';

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

  it('is data, how many of their items are used, and open sizes of models, too', () => {
    const rows = [
      { params: {}, models: { victim: 'a' }, data: { test: 'x' }, limits: { test: 10 }, dims: {} },
      { params: {}, models: { victim: 'a' }, data: { test: 'y' }, limits: {}, dims: { victim: 'height=32' } },
    ];
    const varied = variedIn(rows);
    assert.deepEqual(
      varied.map(({ field }) => field),
      ['dims.victim', 'data.test', 'limits.test'],
    );
    const [, , limits] = varied;
    assert.ok(limits && rows[0]);
    assert.equal(variedValue(rows[0], limits), 10);
    assert.equal(variedTitle(undefined, limits), 'test, items');
  });

  it('is nothing for one run or none', () => {
    assert.deepEqual(variedIn([]), []);
    assert.deepEqual(variedIn([{ params: { seed: 0 }, models: {} }]), []);
  });
});
