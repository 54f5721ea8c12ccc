import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HostEvent } from '../contract/bridge.ts';
import { createEventLog } from './event-log.ts';

const removed = (runId: string) => ({ type: 'runs-removed' as const, runIds: [runId] });

describe('the line of events', () => {
  it('numbers without gaps and tells every listener until it leaves', () => {
    const log = createEventLog('h');
    const seen: HostEvent[] = [];
    const leave = log.subscribe((event) => seen.push(event));
    for (const id of ['a', 'b']) log.push(removed(id));
    leave();
    log.push(removed('c'));
    assert.deepEqual(
      seen.map(({ seq, hostId }) => [seq, hostId]),
      [
        [0, 'h'],
        [1, 'h'],
      ],
    );
  });

  it('goes on when a listener throws, and tells the others and, next time, that one', () => {
    const log = createEventLog('h');
    const seen: number[] = [];
    let isGone = true;
    log.subscribe(({ seq }) => {
      if (isGone) throw new Error('Object has been destroyed');
      seen.push(seq);
    });
    log.subscribe(({ seq }) => seen.push(seq));
    log.push(removed('a'));
    isGone = false;
    log.push(removed('b'));
    assert.deepEqual(seen, [0, 1, 1]);
  });

  it('gives a window that comes back exactly what it missed', () => {
    const log = createEventLog('h', 5);
    for (let i = 0; i < 23; i++) log.push(removed(String(i)));
    for (let seq = 20; seq < 23; seq++) {
      assert.deepEqual(
        log.after('h', seq).map((event) => event.seq),
        Array.from({ length: 22 - seq }, (_, i) => seq + 1 + i),
      );
    }
  });

  it('says reset for another host, for too long ago, and for the future', () => {
    const log = createEventLog('h', 5);
    for (let i = 0; i < 23; i++) log.push(removed(String(i)));
    const reset = [{ type: 'reset', hostId: 'h', seq: 22 }];
    assert.deepEqual(log.after('other', 22), reset);
    assert.deepEqual(log.after('h', 0), reset);
    assert.deepEqual(log.after('h', 23), reset);
    assert.deepEqual(log.after('h', 22), []);
  });

  it('loses nothing for a window that came before the first event', () => {
    const log = createEventLog('h');
    const [reset] = log.after('', -1);
    assert.deepEqual(reset, { type: 'reset', hostId: 'h', seq: -1 });
    log.push(removed('a'));
    assert.equal(log.after('h', reset?.seq ?? 0).length, 1);
  });
});
