import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunRequest } from '../../core/contract/run.ts';
import { differences, figures } from './compare.ts';

function run(params: Record<string, unknown>, metrics: Record<string, number | null> = {}) {
  const request: RunRequest = {
    methodId: 'data-impressions',
    methodVersion: 1,
    params,
    models: { teacher: { kind: 'file', path: 'a.onnx' }, student: { kind: 'zoo', architecture: 'lenet5-half' } },
    data: {},
    device: 'cpu',
    threads: 2,
  };
  return { request, metrics };
}

describe('runs side by side', () => {
  it('show what differs, a default that was left out being the same as one that was said', () => {
    assert.deepEqual(differences([run({ count: 6000, seed: 1 }), run({ seed: 2 })]), [
      { label: 'Seed', texts: ['1', '2'], best: new Set() },
    ]);
  });

  it('have nothing to show when they are the same', () => assert.deepEqual(differences([run({}), run({})]), []));

  it('mark the best figure, the lowest where low is good, and none among equals', () => {
    const [accuracy, error, agreement] = figures([
      run({}, { studentAccuracy: 0.9, calibrationError: 0.1, agreement: 0.5 }),
      run({}, { studentAccuracy: 0.95, calibrationError: 0.2, agreement: 0.5 }),
      run({}, { studentAccuracy: null, calibrationError: null, agreement: 0.5 }),
    ])
      .filter(({ label }) => /Student accuracy|calibration|Agreement/.test(label))
      .toSorted((a, b) => b.label.localeCompare(a.label));
    assert.deepEqual(accuracy, {
      label: 'Student accuracy',
      texts: ['90.0\u202f%', '95.0\u202f%', '–'],
      best: new Set([1]),
    });
    assert.deepEqual(error?.best, new Set([0]));
    assert.deepEqual(agreement?.best, new Set());
  });
});
