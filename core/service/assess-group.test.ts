import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Estimate, ParsedParams } from '../contract/bridge.ts';
import { toyRegistry } from '../jobs/testing/toy-method.ts';
import type { AssessSurroundings } from './assess.ts';
import { assessGroup } from './assess-group.ts';

type Draft = ParsedParams<'runs.assess'>;

const drafts = (count: number): Draft[] =>
  Array.from({ length: count }, (_, seed) => ({
    methodId: 'walk',
    params: { seed },
    models: {},
    data: {},
    device: 'auto' as const,
  }));
const taking = (ms: number): Estimate => ({
  time: { lowMs: ms, likelyMs: 2 * ms, highMs: 3 * ms },
  memoryBytes: ms,
  diskBytes: 10,
  basis: 'b',
});
const where = (estimate: (seed: number) => Estimate | null): AssessSurroundings => ({
  specs: Object.values(toyRegistry).map(({ spec }) => spec),
  architectures: [],
  defaultThreads: 1,
  cwd: '/',
  inspect: () => Promise.reject(new Error('no model is looked at')),
  wordsOf: () => ({ classNames: null, normalisation: null }),
  estimate: async (_, { params }) => estimate(Number(params['seed'])),
});

describe('a group of runs', () => {
  it('takes the time of all of them, and the memory of the largest', async () => {
    const { count, estimate } = await assessGroup(
      drafts(3),
      where((seed) => taking(1 + seed)),
    );
    assert.equal(count, 3);
    assert.deepEqual(estimate?.time, { lowMs: 6, likelyMs: 12, highMs: 18 });
    assert.deepEqual([estimate?.memoryBytes, estimate?.diskBytes], [3, 30]);
  });

  it('of many is estimated from a few of them, the first and last among these', async () => {
    const asked: number[] = [];
    const { count, estimate } = await assessGroup(
      drafts(400),
      where((seed) => {
        asked.push(seed);
        return taking(1);
      }),
    );
    assert.deepEqual([count, asked.length, asked[0], asked.at(-1)], [400, 16, 0, 399]);
    assert.equal(Math.round(estimate?.time?.lowMs ?? 0), 400);
  });

  it('is asked for again by one command', async () => {
    const { command } = await assessGroup(
      drafts(5),
      where(() => null),
    );
    assert.equal(command, 'palimpsest run walk --threads 1 --vary seed=0..4');
  });

  it('cannot be started when one is wrong, wherever it stands, and is not estimated when one cannot be', async () => {
    const [first, ...others] = drafts(40);
    assert.ok(first);
    const wrong = await assessGroup(
      [first, ...others.map((each, i) => (i === 30 ? { ...each, params: { steps: 0 } } : each))],
      where(() => taking(1)),
    );
    assert.deepEqual([wrong.count, wrong.complaints.map(({ field }) => field), wrong.command], [0, ['steps'], null]);
    const unknown = await assessGroup(
      drafts(2),
      where((seed) => (seed === 0 ? taking(1) : null)),
    );
    assert.deepEqual([unknown.count, unknown.estimate], [2, null]);
  });
});
