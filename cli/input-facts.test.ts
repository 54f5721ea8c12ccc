import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { describeMachine } from '../core/jobs/environment.ts';
import { inputFacts } from './input-facts.ts';
import { toySpec } from './testing/toy-spec.ts';

describe('what a run read', () => {
  const request = {
    methodId: 'toy-count',
    methodVersion: 1,
    params: {},
    models: {
      teacher: { kind: 'file', path: '/models/net.onnx' },
      student: { kind: 'zoo', architecture: 'lenet5' },
    },
    data: { test: { path: '/data/my digits', format: 'auto', split: 'test' } },
    device: 'cpu',
    threads: 1,
  } as const;

  it('is shown with its place and the beginning of each SHA-256', () => {
    const environment = {
      ...describeMachine(),
      deviceAsked: 'cpu',
      deviceUsed: 'cpu',
      threads: 1,
      models: { teacher: 'a'.repeat(64), student: 'b'.repeat(64) },
      weights: { teacher: { 'net.onnx.data': 'c'.repeat(64) } },
      data: { test: 'd'.repeat(64) },
    } as const;
    assert.deepEqual(inputFacts({ request, environment }, toySpec, '/models'), [
      ['Teacher', 'net.onnx, SHA-256 aaaaaaaaaaaa… with net.onnx.data, SHA-256 cccccccccccc…'],
      ['Student', 'lenet5, initialised from the seed'],
      ['Test set', '/data/my digits, split test, SHA-256 dddddddddddd…'],
    ]);
  });

  it('is shown without sums where the run never started, and by role where the method is not known', () => {
    assert.deepEqual(inputFacts({ request, environment: null }, undefined, '/models')[2], [
      'test',
      '/data/my digits, split test',
    ]);
  });
});
