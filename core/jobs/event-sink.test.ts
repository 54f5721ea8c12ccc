import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunEvent } from '../contract/run.ts';
import { createEventSink, type EventSink } from './event-sink.ts';

function setUp(): { sink: EventSink; events: RunEvent[]; clock: { atMs: number } } {
  const events: RunEvent[] = [];
  const clock = { atMs: 0 };
  const sink = createEventSink({
    runId: 'run',
    jobId: 'job',
    post: async (event) => void events.push(event),
    now: () => 1000 + clock.atMs,
    elapsed: () => clock.atMs,
    intervalMs: 100,
  });
  return { sink, events, clock };
}

const progress = (step: number, phase = 'train') =>
  ({ type: 'progress', phase, step, totalSteps: 1000, fraction: step / 1000 }) as const;

describe('the events of a job', () => {
  it('hold at most ten progress reports a second, and always the last one', () => {
    const { sink, events, clock } = setUp();
    for (let step = 1; step <= 1000; step++) {
      clock.atMs += 2;
      sink.progress(progress(step));
    }
    sink.flush();
    assert.ok(events.length <= 21, `${events.length} reports in 2 s`);
    assert.deepEqual(
      events.map((event) => event.seq),
      [...events.keys()],
    );
    const last = events.at(-1);
    assert.ok(last?.type === 'progress' && last.step === 1000 && last.fraction === 1 && last.remainingMs === 0);
  });

  it('tell the end of a phase even when it is followed at once by the next', () => {
    const { sink, events } = setUp();
    sink.progress(progress(1, 'a'));
    sink.progress(progress(9, 'a'));
    sink.progress(progress(1, 'b'));
    assert.deepEqual(
      events.map((event) => event.type === 'progress' && [event.phase, event.step]),
      [
        ['a', 1],
        ['a', 9],
        ['b', 1],
      ],
    );
  });

  it('estimate the time left from the work of this job alone', () => {
    const { sink, events, clock } = setUp();
    clock.atMs = 500;
    sink.startFrom(0.5);
    for (const step of [500, 550, 600]) {
      clock.atMs += 1000;
      sink.progress(progress(step));
    }
    const left = events.map((event) => (event.type === 'progress' ? Math.round(event.remainingMs ?? -1) : 'other'));
    assert.deepEqual(left, [-1, -1, 8000]);
  });

  it('carry metrics in batches', () => {
    const { sink, events, clock } = setUp();
    for (let step = 0; step < 50; step++) {
      clock.atMs += 5;
      sink.metric({ name: 'loss', step, value: step });
    }
    sink.flush();
    assert.ok(events.length <= 5);
    const points = events.flatMap((event) => (event.type === 'metrics' ? event.points : []));
    assert.deepEqual(
      points.map((point) => point.step),
      [...Array(50).keys()],
    );
  });

  it('are remembered until the parent has stored them', () => {
    const { sink, clock } = setUp();
    sink.metric({ name: 'loss', step: 0, value: 1 });
    clock.atMs += 200;
    sink.metric({ name: 'loss', step: 1, value: 2 });
    sink.metric({ name: 'loss', step: 2, value: 3 });
    assert.deepEqual(steps(sink), [0, 1, 2]);
    sink.markStored(0);
    assert.deepEqual(steps(sink), [1, 2]);
    sink.markStored(1);
    assert.deepEqual(steps(sink), [2]);
  });
});

const steps = (sink: EventSink): number[] => sink.unstored().points.map((point) => point.step);
