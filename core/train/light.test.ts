import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { floatsOf } from '../base/tensor.ts';
import { lightFeeds, lightTypes } from './light.ts';

const feeds = { batchSize: 500, name: 'student', seed: 3, isPlain: () => false };
const rowsOf = (range: { brightness: number; overlay: number }, first = 0, count = 1) => {
  const { brightness, overlay } = lightFeeds({ ...feeds, range }, first, count);
  return { brightness: brightness && floatsOf(brightness), overlay: overlay && floatsOf(overlay) };
};

describe('light', () => {
  it('draws brightness log-uniformly between 1 and its highest', () => {
    const { brightness } = rowsOf({ brightness: 4, overlay: 0 }, 0, 8);
    assert.ok(brightness);
    const logs = [...brightness].map((factor) => Math.log(factor) / Math.log(4));
    assert.ok(logs.every((log) => log >= 0 && log <= 1));
    const mean = logs.reduce((a, b) => a + b, 0) / logs.length;
    // Standard error of 4,000 uniform draws: 0.0046.
    assert.ok(Math.abs(mean - 0.5) < 0.02, `${mean}`);
  });

  it('lays another image over the asked share of the images', () => {
    const { overlay } = rowsOf({ brightness: 1, overlay: 0.3 }, 0, 8);
    assert.ok(overlay);
    const share = [...overlay].filter((weight) => weight > 0).length / overlay.length;
    assert.ok(Math.abs(share - 0.3) < 0.03, `${share}`);
    assert.ok(overlay.every((weight) => weight >= 0 && weight <= 1));
  });

  it('gives a step the same factors whatever chunk it falls into', () => {
    const range = { brightness: 3, overlay: 0.5 };
    const whole = rowsOf(range, 4, 3);
    const alone = rowsOf(range, 6, 1);
    assert.deepEqual(whole.brightness?.slice(1000), alone.brightness);
    assert.deepEqual(whole.overlay?.slice(1000), alone.overlay);
  });

  it('changes no row that passes plain', () => {
    const range = { brightness: 3, overlay: 1 };
    const { brightness, overlay } = lightFeeds({ ...feeds, range, isPlain: (_, i) => i % 2 === 0 }, 0, 1);
    assert.ok(brightness && overlay);
    assert.ok(floatsOf(brightness).every((factor, i) => (factor === 1) === (i % 2 === 0)));
    assert.ok(floatsOf(overlay).every((weight, i) => (weight === 0) === (i % 2 === 0)));
  });

  it('feeds nothing that is switched off', () => {
    assert.deepEqual(lightTypes({ brightness: 1, overlay: 0 }, 8), {});
    assert.deepEqual(Object.keys(lightTypes({ brightness: 2, overlay: 0 }, 8)), ['brightness']);
    assert.deepEqual(Object.keys(lightFeeds({ ...feeds, range: { brightness: 1, overlay: 0.5 } }, 0, 1)), ['overlay']);
  });
});
