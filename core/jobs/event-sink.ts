import { WorkbenchError } from '../base/errors.ts';
import type { Artifact, MetricPoint, RunEvent } from '../contract/run.ts';
import type { MethodEvent } from '../methods/context.ts';
import type { Unstored } from './checkpoint-manifest.ts';
import { createTimeLeft } from './time-left.ts';

type Progress = Extract<MethodEvent, { type: 'progress' }>;
type WithoutEnvelope<Event> = Event extends RunEvent ? Omit<Event, 'runId' | 'jobId' | 'seq' | 'atMs'> : never;
type EventBody = WithoutEnvelope<RunEvent>;

export interface SinkOptions {
  readonly runId: string;
  readonly jobId: string;
  readonly post: (event: RunEvent) => Promise<void>;
  /** Wall clock of `atMs`. */
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly elapsed: () => number;
  /** Least time between two progress events, and between two batches of metrics. */
  readonly intervalMs: number;
}

/** Turns what a method says into numbered events: thins out progress, batches metrics, knows what is not stored yet. */
export interface EventSink {
  send(body: EventBody): void;
  progress(event: Progress): void;
  /** @throws NUMERIC_DIVERGED for a value that is not finite. */
  metric(point: MetricPoint): void;
  /** Sends what is held back. */
  flush(): void;
  /** The parent has every event up to `seq` on disk. */
  markStored(seq: number): void;
  unstored(): Unstored;
  /** Share of the run's work done, as said last. */
  readonly fraction: number;
  /** Work that an earlier job had done. */
  startFrom(fraction: number): void;
  /** Resolves when everything has been handed to the port. */
  drained(): Promise<void>;
}

const maxBatch = 1000;

export function createEventSink(options: SinkOptions): EventSink {
  const { runId, jobId, post, now, elapsed, intervalMs } = options;
  let seq = 0;
  let posted: Promise<void> = Promise.resolve();
  let waiting: Progress | undefined;
  let lastProgressAt = Number.NEGATIVE_INFINITY;
  let lastMetricsAt = Number.NEGATIVE_INFINITY;
  let points: MetricPoint[] = [];
  let unstoredEvents: { seq: number; points: readonly MetricPoint[]; artifacts: readonly Artifact[] }[] = [];
  const lastFinite = new Map<string, MetricPoint>();
  let fraction = 0;
  const timeLeft = createTimeLeft();
  let remainingMs: number | undefined;

  const send = (body: EventBody): void => {
    const event: RunEvent = { ...body, runId, jobId, seq, atMs: now() };
    if (event.type === 'metrics') unstoredEvents.push({ seq, points: event.points, artifacts: [] });
    if (event.type === 'artifact') unstoredEvents.push({ seq, points: [], artifacts: [event.artifact] });
    seq += 1;
    const sending = post(event);
    posted = posted.then(() => sending);
  };

  const sendProgress = (): void => {
    if (!waiting) return;
    const { phase, step, totalSteps } = waiting;
    waiting = undefined;
    lastProgressAt = elapsed();
    send({
      type: 'progress',
      phase,
      step,
      totalSteps,
      fraction,
      ...(remainingMs === undefined ? {} : { remainingMs }),
    });
  };

  const sendMetrics = (): void => {
    if (points.length === 0) return;
    lastMetricsAt = elapsed();
    const batch = points;
    points = [];
    send({ type: 'metrics', points: batch });
  };

  return {
    send,
    progress(event) {
      const isNewPhase = waiting !== undefined && waiting.phase !== event.phase;
      if (isNewPhase) sendProgress();
      waiting = event;
      fraction = Math.min(1, Math.max(0, event.fraction));
      remainingMs = timeLeft.after({ ...event, fraction }, elapsed());
      if (isNewPhase || elapsed() - lastProgressAt >= intervalMs) sendProgress();
    },
    metric({ name, step, value }) {
      if (!Number.isFinite(value)) throw diverged({ name, step, value }, lastFinite.get(name));
      const point = { name, step, value };
      lastFinite.set(name, point);
      points.push(point);
      if (points.length >= maxBatch || elapsed() - lastMetricsAt >= intervalMs) sendMetrics();
    },
    flush() {
      sendMetrics();
      sendProgress();
    },
    markStored(upTo) {
      unstoredEvents = unstoredEvents.filter((event) => event.seq > upTo);
    },
    unstored: () => ({
      points: [...unstoredEvents.flatMap((event) => event.points), ...points],
      artifacts: unstoredEvents.flatMap((event) => event.artifacts),
    }),
    get fraction() {
      return fraction;
    },
    startFrom(done) {
      fraction = done;
    },
    drained: () => posted,
  };
}

function diverged(point: MetricPoint, last: MetricPoint | undefined): WorkbenchError {
  const before = last ? `; last finite value ${last.value} at step ${last.step}` : '';
  return new WorkbenchError(
    'NUMERIC_DIVERGED',
    `Metric "${point.name}" became ${point.value} at step ${point.step}${before}`,
    { hint: 'Try a smaller learning rate or step size.' },
  );
}
