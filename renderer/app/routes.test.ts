import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { hrefOf, routeOf, type Route } from './routes.ts';

const routes: readonly Route[] = [
  { page: 'start' },
  { page: 'models' },
  { page: 'models', path: 'bundled:lenet5-mnist' },
  { page: 'data', path: '/data/my set/100 %.npz' },
  { page: 'new' },
  { page: 'new', methodId: 'data-impressions', recipe: 'quick' },
  { page: 'new', methodId: 'training', from: '20261122-105902-s3qy' },
  { page: 'new', methodId: 'training', model: '/models/a b.onnx' },
  { page: 'runs' },
  { page: 'runs', groupId: '0a1b2c' },
  { page: 'run', runId: '20261122-105902-s3qy' },
  { page: 'report', runId: '20261122-105902-s3qy' },
  { page: 'compare', runIds: ['20261122-105902-s3qy', '20261122-105902-s3qz'] },
  { page: 'settings' },
];

describe('addresses', () => {
  for (const route of routes) {
    it(`come back as they were: ${hrefOf(route)}`, () => assert.deepEqual(routeOf(hrefOf(route)), route));
  }

  for (const hash of ['#/nowhere', '#/runs/a/b', '#/runs/a/report/c', '#/compare', '#/models/%E0%A4%A']) {
    it(`that mean nothing are unknown: ${hash}`, () => {
      assert.deepEqual(routeOf(hash), { page: 'unknown', address: hash });
    });
  }

  it('without anything are the start page', () => assert.deepEqual(routeOf(''), { page: 'start' }));
});
