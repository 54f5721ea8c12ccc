import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Bridge, HostEvent, RequestName, RequestResult } from '../../core/contract/bridge.ts';
import { requests } from '../../core/contract/bridge.ts';
import { openProgressBook } from './progress-book.ts';

const progress = (step: number, atMs: number) => ({
  phase: 'train',
  step,
  totalSteps: 10,
  fraction: step / 10,
  remainingMs: null,
  atMs,
});

function host(known: Record<string, unknown>) {
  const listeners = new Set<(event: HostEvent) => void>();
  let asked = 0;
  const bridge: Pick<Bridge, 'request' | 'subscribe'> = {
    async request<K extends RequestName>(name: K): Promise<RequestResult<K>> {
      asked++;
      return requests[name].out.parse(known) as RequestResult<K>;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const say = (event: HostEvent): void => listeners.forEach((listener) => listener(event));
  const envelope = { hostId: 'h', seq: 0 };
  const job = { runId: 'r', jobId: 'r.1', seq: 0 };
  return {
    bridge,
    asked: () => asked,
    advance: (step: number, atMs: number) => {
      const { remainingMs: _, ...rest } = progress(step, atMs);
      say({ ...envelope, type: 'job', event: { ...job, type: 'progress', ...rest } });
    },
    end: () => say({ ...envelope, type: 'job', event: { ...job, type: 'finished', state: 'succeeded', atMs: 9 } }),
    reset: () => say({ ...envelope, type: 'reset' }),
  };
}

const settled = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('how far runs have come', () => {
  it('is known in a window that opens in the middle, before the next event', async () => {
    const { bridge } = host({ r: progress(4, 1) });
    const book = openProgressBook(bridge);
    let told = 0;
    book.subscribe(() => told++);
    await settled();
    assert.deepEqual([book.of('r')?.step, book.of('other'), told], [4, undefined, 1]);
  });

  it('goes on with events, of which a late answer takes nothing back', async () => {
    const { bridge, advance, end } = host({ r: progress(4, 1) });
    const book = openProgressBook(bridge);
    advance(5, 2);
    await settled();
    assert.equal(book.of('r')?.step, 5);
    end();
    assert.equal(book.of('r'), undefined);
  });

  it('is asked for anew when the host was away', async () => {
    const { bridge, advance, reset, asked } = host({});
    const book = openProgressBook(bridge);
    advance(5, 2);
    reset();
    await settled();
    assert.deepEqual([book.of('r'), asked()], [undefined, 2]);
  });

  it('is told to none that has gone', () => {
    const { bridge, advance } = host({});
    const book = openProgressBook(bridge);
    let told = 0;
    const leave = book.subscribe(() => told++);
    advance(1, 1);
    leave();
    advance(2, 2);
    assert.equal(told, 1);
  });
});
