import { join } from 'node:path';
import { setImmediate as breathe } from 'node:timers/promises';
import { WorkbenchError, toWorkbenchError } from '../base/errors.ts';
import { JobCommand, type StartCommand } from '../contract/job.ts';
import { scratchFolder } from '../contract/layout.ts';
import type { ResultMetrics, RunEvent } from '../contract/run.ts';
import type { CheckpointState, MethodEvent } from '../methods/context.ts';
import type { MethodRegistry } from '../methods/registry.ts';
import { storeArtifact } from './artifacts.ts';
import { openCheckpoints, type Checkpoints } from './checkpoints.ts';
import { createEventSink, type EventSink } from './event-sink.ts';
import type { JobInputs } from './inputs.ts';
import { prepareJob, type PreparedJob } from './prepare.ts';

/** The job's end of a connection to its parent: a forked process, a utility process, or memory in tests. */
export interface Port {
  /** Resolves when the message has left this process. */
  post(message: unknown): Promise<void>;
  onMessage(listener: (message: unknown) => void): void;
  /** The parent is gone. */
  onClose(listener: () => void): void;
}

export interface HostOptions {
  readonly registry: MethodRegistry;
  readonly inputs: JobInputs;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Monotonic milliseconds. */
  readonly elapsed: () => number;
  readonly peakMemoryBytes: () => number;
  /** Time between checkpoints; 10,000 when absent. */
  readonly checkpointEveryMs?: number;
}

export interface JobHost {
  /** Resolves when the job has ended and its last event has been handed over. Never rejects once it has started. */
  readonly done: Promise<void>;
  /** Ends the job as failed, for errors that reach nobody else. */
  fail(thrown: unknown): Promise<void>;
}

const progressIntervalMs = 100;
const defaultCheckpointEveryMs = 10_000;
/** A checkpoint may take a tenth of the time, but what a kill can cost stays below 30 s. */
const longestCheckpointGapMs = 25_000;
const breatheEveryMs = 20;

/** Waits on `port` for a start command, runs the method and answers with events. */
export function serveJob(port: Port, options: HostOptions): JobHost {
  const stop = new AbortController();
  const started = Promise.withResolvers<StartCommand>();
  let sink: EventSink | undefined;
  let hasFinished = false;
  const cancelled = (why: string): void => stop.abort(new WorkbenchError('CANCELLED', why));

  port.onMessage((message) => {
    const parsed = JobCommand.safeParse(message);
    if (!parsed.success) {
      const error = new WorkbenchError(
        'INTERNAL',
        `The job got a message that it does not know: ${parsed.error.message}`,
      );
      started.reject(error);
      stop.abort(error);
    } else if (parsed.data.type === 'start') started.resolve(parsed.data);
    else if (parsed.data.type === 'cancel') cancelled('The run was cancelled');
    else sink?.markStored(parsed.data.seq);
  });
  port.onClose(() => {
    started.reject(new WorkbenchError('CANCELLED', 'The parent is gone'));
    cancelled('The parent is gone');
  });

  const finish = (
    body: Omit<Extract<RunEvent, { type: 'finished' }>, 'runId' | 'jobId' | 'seq' | 'atMs' | 'type'>,
  ): void => {
    if (hasFinished) return;
    hasFinished = true;
    sink?.flush();
    sink?.send({ type: 'finished', ...body, peakMemoryBytes: options.peakMemoryBytes() });
  };
  const finishWith = (thrown: unknown): void => {
    const error = endingOf(thrown, stop.signal);
    finish({ state: stateAfter(error), error: error.toShape() });
  };

  const work = async (): Promise<void> => {
    const start = await started.promise;
    const { runId, jobId } = start;
    sink = createEventSink({
      runId,
      jobId,
      post: (event) => port.post(event),
      now: options.now,
      elapsed: options.elapsed,
      intervalMs: progressIntervalMs,
    });
    try {
      finish({ state: 'succeeded', metrics: await runMethod(start, sink, stop.signal, options) });
    } catch (thrown) {
      finishWith(thrown);
    }
    await sink.drained();
  };

  return {
    done: work(),
    async fail(thrown) {
      finishWith(thrown);
      await sink?.drained();
    },
  };
}

async function runMethod(
  start: StartCommand,
  sink: EventSink,
  signal: AbortSignal,
  options: HostOptions,
): Promise<ResultMetrics> {
  const prepared = await untilAborted(prepareJob(start, options), signal);
  const { method, request, environment, identity, loaded } = prepared;
  const steps = await method.start(request.params, {
    models: request.models,
    data: request.data,
    device: environment.deviceUsed,
    threads: request.threads,
    signal,
    resume: loaded?.state,
    now: options.elapsed,
    scratch: join(start.workspaceDir, scratchFolder(start.runId)),
  });
  signal.throwIfAborted();
  const checkpoints = openCheckpoints(start.workspaceDir, start.runId, identity, loaded);
  // A first checkpoint of nothing: from here on, whatever happens, the run can be resumed.
  const first = loaded ? undefined : checkpoints.write(undefined, { fraction: 0, unstored: sink.unstored() });
  sink.startFrom(loaded?.fraction ?? 0);
  sink.send({ type: 'started', environment, ...(loaded ? { resumedFromStep: loaded.state?.step ?? 0 } : {}) });
  if (first) sink.send({ type: 'checkpoint', ...first });
  repeatUnstored(sink, prepared);
  const saver = createSaver(checkpoints, sink, options);
  let lastBreath = options.elapsed();
  for (;;) {
    const next = await steps.next();
    if (next.done) return finiteResults(next.value, sink);
    if (next.value.type === 'checkpoint') {
      if (signal.aborted) {
        saver.save(next.value.capture());
        await steps.return({});
        throw signal.reason;
      }
      saver.offer(next.value.capture);
    } else handle(next.value, sink, start.workspaceDir, options.now());
    if (options.elapsed() - lastBreath >= breatheEveryMs) {
      // A method that never waits must still let 'cancel' in.
      await breathe();
      lastBreath = options.elapsed();
    }
  }
}

/** Does not wait for large files to be hashed when a cancel comes meanwhile. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function handle(
  event: Exclude<MethodEvent, { type: 'checkpoint' }>,
  sink: EventSink,
  workspaceDir: string,
  atMs: number,
): void {
  switch (event.type) {
    case 'progress':
      return sink.progress(event);
    case 'metric':
      return sink.metric(event);
    case 'log':
      return sink.send({ type: 'log', level: event.level, message: event.message });
    case 'table':
      return sink.send({ type: 'table', table: event.table });
    case 'artifact':
      return sink.send({ type: 'artifact', artifact: storeArtifact(workspaceDir, event, atMs) });
  }
}

interface Saver {
  save(state: CheckpointState): void;
  /** Saves when the last checkpoint is old enough. */
  offer(capture: () => CheckpointState): void;
}

function createSaver(checkpoints: Checkpoints, sink: EventSink, options: HostOptions): Saver {
  const everyMs = options.checkpointEveryMs ?? defaultCheckpointEveryMs;
  let lastAt = options.elapsed();
  let tookMs = 0;
  const save = (state: CheckpointState): void => {
    const before = options.elapsed();
    sink.flush();
    const written = checkpoints.write(state, { fraction: sink.fraction, unstored: sink.unstored() });
    sink.send({ type: 'checkpoint', ...written });
    lastAt = options.elapsed();
    tookMs = lastAt - before;
  };
  return {
    save,
    offer(capture) {
      const gapMs = Math.max(everyMs, Math.min(10 * tookMs, longestCheckpointGapMs));
      if (options.elapsed() - lastAt >= gapMs) save(capture());
    },
  };
}

function repeatUnstored(sink: EventSink, { loaded }: PreparedJob): void {
  if (!loaded) return;
  for (const path of loaded.damaged) {
    sink.send({ type: 'log', level: 'warning', message: `A damaged checkpoint was passed over: ${path}` });
  }
  for (const artifact of loaded.unstored.artifacts) sink.send({ type: 'artifact', artifact });
  for (const point of loaded.unstored.points) sink.metric(point);
}

/** A result that is not a number is stored as null, and said. */
function finiteResults(metrics: ResultMetrics, sink: EventSink): ResultMetrics {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => {
      if (value === null || Number.isFinite(value)) return [name, value];
      sink.send({
        type: 'log',
        level: 'warning',
        message: `The result "${name}" is ${value}; it is stored as missing`,
      });
      return [name, null];
    }),
  );
}

function endingOf(thrown: unknown, signal: AbortSignal): WorkbenchError {
  const isAbort = signal.aborted && thrown instanceof Error && thrown.name === 'AbortError';
  return toWorkbenchError(isAbort ? signal.reason : thrown);
}

/** A workspace that ran full is no fault of the run: it may go on from its last checkpoint. */
function stateAfter(error: WorkbenchError): 'failed' | 'cancelled' | 'interrupted' {
  if (error.code === 'CANCELLED') return 'cancelled';
  // A full disk or a killed lane says nothing against the run: it goes on from its checkpoint.
  return error.code === 'WORKSPACE_UNUSABLE' || error.code === 'JOB_CRASHED' ? 'interrupted' : 'failed';
}
