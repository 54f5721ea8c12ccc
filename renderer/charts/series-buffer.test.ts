import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { seriesBuffer } from './series-buffer.ts';

describe('a growing curve', () => {
  it('gives what came in, across the places where it grows', () => {
    const buffer = seriesBuffer([{ step: 0, value: 5 }]);
    for (let step = 1; step < 1000; step++) buffer.push(step, -step);
    assert.equal(buffer.length, 1000);
    assert.deepEqual(buffer.view().at(999), [999, -999]);
    assert.equal(buffer.view().length, 1000);
    assert.deepEqual(buffer.last, { step: 999, value: -999 });
    assert.equal(seriesBuffer().last, undefined);
  });

  it('leaves out steps that it has, as after a resume', () => {
    const buffer = seriesBuffer([
      { step: 0, value: 1 },
      { step: 1, value: 2 },
      { step: 1, value: 9 },
      { step: 0, value: 9 },
      { step: 2, value: 3 },
    ]);
    assert.deepEqual(buffer.view(), [
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it('keeps every spike and both ends of a million points in at most the limit', () => {
    const buffer = seriesBuffer();
    for (let step = 0; step < 1_000_000; step++) buffer.push(step, step === 654_321 ? 1e6 : Math.sin(step / 1e5));
    const view = buffer.view(2000);
    assert.ok(view.length <= 2000 && view.length > 1900, `${view.length} points`);
    assert.ok(view.some(([step, value]) => step === 654_321 && value === 1e6));
    assert.deepEqual(view[0], [0, 0]);
    assert.equal(view.at(-1)?.[0], 999_999);
    assert.deepEqual(
      view.map(([step]) => step),
      view.map(([step]) => step).toSorted((a, b) => a - b),
    );
  });

  it('leaves values out that are not finite', () => {
    const buffer = seriesBuffer();
    for (let step = 0; step < 5000; step++) buffer.push(step, step % 2 === 0 ? Number.NaN : step);
    assert.ok(buffer.view(100).every(([, value]) => Number.isFinite(value)));
    assert.ok(buffer.view(10_000).every(([, value]) => Number.isFinite(value)));
  });

  it('makes a view once for each length', () => {
    const buffer = seriesBuffer([{ step: 0, value: 1 }]);
    assert.equal(buffer.view(), buffer.view());
    const before = buffer.view();
    buffer.push(1, 1);
    assert.notEqual(buffer.view(), before);
  });
});
