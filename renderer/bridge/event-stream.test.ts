import assert from 'node:assert/strict';
import { ReadableStream } from 'node:stream/web';
import { setImmediate } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import type { Connection, HostEvent } from '../../core/contract/bridge.ts';
import { followEvents } from './event-stream.ts';

/** A server whose streams are written and broken by hand; its time passes by `pass`. */
function watched(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(console, 'info', () => undefined);
  const streams: { readonly query: string; say(text: string): void; break(): void }[] = [];
  const events: HostEvent[] = [];
  const connections: Connection[] = [];
  const end = { session: false };
  const done = followEvents({
    async open(query, signal) {
      if (end.session) return undefined;
      return new ReadableStream<Uint8Array>({
        start(controller) {
          const fail = (): void => controller.error(new Error('broken'));
          signal.addEventListener('abort', fail);
          streams.push({
            query,
            say: (text) => controller.enqueue(new TextEncoder().encode(text)),
            break: fail,
          });
        },
      });
    },
    emit: (event) => events.push(event),
    setConnection: (connection) => connections.push(connection),
  });
  const pass = async (ms: number): Promise<void> => {
    await setImmediate();
    t.mock.timers.tick(ms);
    await setImmediate();
  };
  return { streams, events, connections, pass, end, done };
}

const reset = `${JSON.stringify({ type: 'reset', hostId: 'h', seq: -1 })}\n`;

describe('the stream of events', () => {
  const finish = async ({ end, pass, done }: ReturnType<typeof watched>): Promise<void> => {
    end.session = true;
    await pass(40_000);
    await pass(250);
    await done;
  };

  it('goes on after the last event that it saw, be it the one that said where the stream began', async (t) => {
    const stream = watched(t);
    const { streams, events, connections, pass } = stream;
    await pass(0);
    streams[0]?.say(reset);
    await pass(0);
    streams[0]?.break();
    await pass(250);
    assert.deepEqual(
      streams.map(({ query }) => query),
      ['', '?host=h&after=-1'],
    );
    assert.deepEqual(events, []);
    assert.deepEqual(connections, ['open', 'lost', 'open']);
    await finish(stream);
  });

  it('tells the window to ask anew when it could ask before the stream was there, or has missed something', async (t) => {
    const stream = watched(t);
    const { streams, events, pass } = stream;
    await pass(0);
    streams[0]?.break();
    await pass(250);
    streams[1]?.say(reset);
    await pass(0);
    assert.equal(events.length, 1);
    streams[1]?.say(reset);
    await pass(0);
    assert.equal(events.length, 2);
    await finish(stream);
  });

  it('is left when it falls silent, and not while it says so much as an empty line', async (t) => {
    const stream = watched(t);
    const { streams, connections, pass } = stream;
    await pass(0);
    for (let beat = 0; beat < 4; beat++) {
      streams[0]?.say('\n');
      await pass(15_000);
    }
    assert.deepEqual(connections, ['open']);
    await pass(25_000);
    assert.deepEqual(connections, ['open', 'lost']);
    await finish(stream);
  });
});
