import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pool } from './pool.ts';

async function* counted(job: number, worker: string): AsyncGenerator<string, void, void> {
  for (let i = 0; i < job; i++) {
    await Promise.resolve();
    yield `${worker}:${job}.${i}`;
  }
}

describe('a pool of workers', () => {
  it('finishes every job and says everything once', async () => {
    const said: string[] = [];
    for await (const word of pool(['a', 'b'], [3, 1, 2, 0, 4], counted)) said.push(word.slice(2));
    assert.deepEqual(said.sort(), ['1.0', '2.0', '2.1', '3.0', '3.1', '3.2', '4.0', '4.1', '4.2', '4.3']);
  });

  it('works on as many jobs at once as it has workers', async () => {
    let open = 0;
    let most = 0;
    const track = async function* (): AsyncGenerator<number, void, void> {
      most = Math.max(most, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      yield open;
      open--;
    };
    for await (const _ of pool([1, 2, 3], [1, 2, 3, 4, 5, 6, 7], track)) assert.ok(open <= 3);
    assert.equal(most, 3);
  });

  it('throws what a job throws', async () => {
    const failing = async function* (job: number): AsyncGenerator<number, void, void> {
      yield job;
      if (job === 2) throw new Error('job 2 is broken');
    };
    await assert.rejects(async () => {
      for await (const _ of pool(['a'], [1, 2, 3], failing)) void _;
    }, /job 2 is broken/);
  });

  it('lets go of what unfinished jobs hold when its reader stops or a job fails', async () => {
    const held = new Set<number>();
    const holding = async function* (job: number): AsyncGenerator<number, void, void> {
      held.add(job);
      try {
        for (let i = 0; ; i++) {
          await Promise.resolve();
          if (job === 7 && i > 3) throw new Error('job 7 is broken');
          yield job;
        }
      } finally {
        held.delete(job);
      }
    };
    for await (const _ of pool(['a', 'b', 'c'], [1, 2, 3], holding)) if (held.size === 3) break;
    await assert.rejects(async () => {
      for await (const _ of pool(['a', 'b'], [4, 7], holding)) void _;
    }, /job 7/);
    while (held.size > 0) await new Promise((resolve) => setImmediate(resolve));
  });
});
