import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Assessment, ParsedParams } from '../contract/bridge.ts';
import { assessGroup } from './assess-group.ts';

type Draft = ParsedParams<'runs.assess'>;

const drafts = (count: number): Draft[] =>
  Array.from({ length: count }, (_, seed) => ({
    methodId: 'toy',
    params: { seed },
    models: {},
    data: {},
    device: 'auto' as const,
  }));
const fine = (ms: number): Assessment => ({
  request: null,
  complaints: [],
  command: null,
  estimate: { time: { lowMs: ms, likelyMs: 2 * ms, highMs: 3 * ms }, memoryBytes: ms, diskBytes: 10, basis: 'b' },
});

describe('a group of runs', () => {
  it('takes the time of all of them, and the memory of the largest', async () => {
    const { count, estimate } = await assessGroup(drafts(3), async ({ params }) => fine(1 + Number(params['seed'])));
    assert.equal(count, 3);
    assert.deepEqual(estimate?.time, { lowMs: 6, likelyMs: 12, highMs: 18 });
    assert.deepEqual([estimate?.memoryBytes, estimate?.diskBytes], [3, 30]);
  });

  it('of many is estimated from a few of them, the first and last among these', async () => {
    const asked: number[] = [];
    const { count, estimate } = await assessGroup(drafts(400), async ({ params }) => {
      asked.push(Number(params['seed']));
      return fine(1);
    });
    assert.deepEqual([count, asked.length, asked[0], asked.at(-1)], [400, 16, 0, 399]);
    assert.equal(Math.round(estimate?.time?.lowMs ?? 0), 400);
  });

  it('cannot be started when one is wrong, and is not estimated when one cannot be', async () => {
    const wrong = await assessGroup(drafts(2), async ({ params }) =>
      params['seed'] === 0 ? fine(1) : { ...fine(1), complaints: [{ field: 'steps', message: 'too many' }] },
    );
    assert.deepEqual([wrong.count, wrong.complaints], [0, [{ field: 'steps', message: 'too many' }]]);
    const unknown = await assessGroup(drafts(2), async ({ params }) =>
      params['seed'] === 0 ? fine(1) : { ...fine(1), estimate: null },
    );
    assert.deepEqual([unknown.count, unknown.estimate], [2, null]);
  });
});
