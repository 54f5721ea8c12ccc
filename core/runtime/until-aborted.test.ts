import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { untilAborted } from './until-aborted.ts';

async function* counting(to: number): AsyncGenerator<number, void, void> {
  for (let i = 0; i < to; i++) {
    await Promise.resolve();
    yield i;
  }
}

async function collect(
  said: AsyncGenerator<number, void, void>,
  each: (value: number) => void = () => {},
): Promise<number[]> {
  const values: number[] = [];
  for await (const value of said) {
    values.push(value);
    each(value);
  }
  return values;
}

describe('what is said until a signal', () => {
  it('is everything when the signal does not come', async () => {
    assert.deepEqual(await collect(untilAborted(counting(4), new AbortController().signal)), [0, 1, 2, 3]);
  });

  it('is nothing when it has come already', async () => {
    assert.deepEqual(await collect(untilAborted(counting(4), AbortSignal.abort())), []);
  });

  it('ends at the signal, also in the middle of a step that never ends', async () => {
    const stop = new AbortController();
    const stuck = async function* (): AsyncGenerator<number, void, void> {
      yield 1;
      await new Promise(() => {});
    };
    const values = await collect(untilAborted(stuck(), stop.signal), () => setImmediate(() => stop.abort()));
    assert.deepEqual(values, [1]);
  });

  it('throws what is thrown before the signal, and nothing that is thrown after it', async () => {
    const stop = new AbortController();
    const step = Promise.withResolvers<void>();
    const failing = async function* (): AsyncGenerator<number, void, void> {
      yield 1;
      await step.promise;
    };
    await assert.rejects(
      collect(untilAborted(failing(), stop.signal), () => step.reject(new Error('step failed'))),
      /step failed/,
    );
    const late = Promise.withResolvers<void>();
    const failsLate = async function* (): AsyncGenerator<number, void, void> {
      yield 1;
      await late.promise;
    };
    await collect(untilAborted(failsLate(), stop.signal), () => setImmediate(() => stop.abort()));
    late.reject(new Error('too late'));
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('lets the speaker clean up when its listener goes', async () => {
    const cleaned = Promise.withResolvers<void>();
    const holding = async function* (): AsyncGenerator<number, void, void> {
      try {
        yield* counting(100);
      } finally {
        cleaned.resolve();
      }
    };
    for await (const value of untilAborted(holding(), new AbortController().signal)) if (value === 2) break;
    await cleaned.promise;
  });
});
