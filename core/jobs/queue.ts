import { toWorkbenchError, WorkbenchError } from '../base/errors.ts';
import type { QueueFacts } from '../contract/machine.ts';
import type { RunEvent, RunRecord } from '../contract/run.ts';
import { cancelUnstarted } from './cancel-unstarted.ts';
import { startJob, type JobHandle, type JobStore } from './client.ts';
import type { JobLauncher } from './launch.ts';

export interface QueueOptions {
  readonly store: JobStore;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Sees every event after it was stored. */
  readonly onEvent: (event: RunEvent) => void;
  /** Called after each change of what waits, runs or halts. */
  readonly onChange: () => void;
  /** Called when a job has ended and its run is at rest; before the next one starts. */
  readonly onEnded?: (run: RunRecord) => void;
  readonly launch?: JobLauncher;
  readonly cancelGraceMs?: number;
}

/** Runs one after the other, so that none slows another down or takes its memory. */
export interface RunQueue {
  facts(): QueueFacts;
  /** Puts a queued or resumable run at the end. @throws RUN_UNKNOWN; RUN_STATE when it can neither start nor go on. */
  add(runId: string): void;
  /** Takes a waiting run off, stops a running one. @throws RUN_STATE when it does neither. */
  cancel(runId: string): void;
  /** Goes on after a halt. */
  continue(): void;
  /** Does `work` while no run computes. @throws RUN_STATE while one does. */
  alone<T>(work: () => Promise<T>): Promise<T>;
  /** Interrupts what runs, at a safe point, and starts nothing any more; what waits stays queued in the history. */
  close(): Promise<void>;
}

/** So many crashes within this time, and the next run would most likely crash, too. */
const crashLimit = { count: 3, withinMs: 5 * 60_000 } as const;

export function openQueue(options: QueueOptions): RunQueue {
  const { store, now, onChange } = options;
  const waiting: string[] = [];
  let running: { readonly runId: string; readonly handle: JobHandle; readonly rest: Promise<void> } | undefined;
  let halted: QueueFacts['halted'] = null;
  let crashes: number[] = [];
  let isReserved = false;
  let isClosed = false;

  const halt = (error: WorkbenchError): void => {
    halted = { atMs: now(), error: error.toShape() };
  };

  const judge = ({ state, error }: RunRecord): void => {
    // A full disk would end every run that waits in the same way.
    if (error?.code === 'WORKSPACE_UNUSABLE') return halt(WorkbenchError.fromShape(error));
    if (state !== 'interrupted' || error?.code !== 'JOB_CRASHED') return;
    const atMs = now();
    crashes = [...crashes.filter((crashMs) => atMs - crashMs < crashLimit.withinMs), atMs];
    if (crashes.length >= crashLimit.count) halt(tooManyCrashes(error.message));
  };

  const next = (): string | undefined =>
    running || isReserved || isClosed || halted !== null ? undefined : waiting.shift();

  const pump = (): void => {
    for (let runId = next(); runId !== undefined; runId = next()) {
      try {
        begin(runId);
      } catch (thrown) {
        // It was changed behind our back, by a trash or another command; the others can go on.
        const error = toWorkbenchError(thrown);
        if (error.code !== 'RUN_STATE' && error.code !== 'RUN_UNKNOWN') {
          waiting.unshift(runId);
          halt(error);
        }
      }
      onChange();
    }
  };

  const begin = (runId: string): void => {
    const handle = startJob({
      store,
      runId,
      now,
      onEvent: options.onEvent,
      ...(options.launch ? { launch: options.launch } : {}),
      ...(options.cancelGraceMs === undefined ? {} : { cancelGraceMs: options.cancelGraceMs }),
    });
    running = { runId, handle, rest: settle(handle) };
  };

  const settle = async (handle: JobHandle): Promise<void> => {
    try {
      const run = await handle.done;
      judge(run);
      options.onEnded?.(run);
    } catch (thrown) {
      const error = toWorkbenchError(thrown);
      // A refused resume has been stored and told as an event of its job; only a broken history concerns all runs.
      if (error.code === 'WORKSPACE_UNUSABLE' || error.code === 'INTERNAL') halt(error);
    }
    running = undefined;
    onChange();
    pump();
  };

  return {
    facts: () => ({ running: running ? [running.runId] : [], waiting: [...waiting], halted }),
    add(runId) {
      const run = store.getRun(runId);
      if (!run.resumable || waiting.includes(run.runId) || running?.runId === run.runId) {
        throw new WorkbenchError('RUN_STATE', `Run ${run.runId} is ${stateText(run, waiting)} and cannot be started`, {
          hint: 'Only a queued run, or one that was stopped and has a checkpoint, can be. Start a new run instead.',
        });
      }
      waiting.push(run.runId);
      onChange();
      pump();
    },
    cancel(runId) {
      if (running?.runId === runId) {
        running.handle.cancel();
        return;
      }
      const place = waiting.indexOf(runId);
      if (place === -1) {
        throw new WorkbenchError(
          'RUN_STATE',
          `Run ${runId} is ${store.getRun(runId).state}, expected waiting or running`,
          {
            hint: 'There is nothing to stop.',
          },
        );
      }
      waiting.splice(place, 1);
      if (store.getRun(runId).state === 'queued') options.onEvent(cancelUnstarted(store, runId, now()));
      onChange();
    },
    continue() {
      if (isClosed) return;
      try {
        // What could not be written when the queue halted.
        if (!running) for (const event of store.interruptOrphans()) options.onEvent(event);
        halted = null;
        crashes = [];
      } catch (thrown) {
        halt(toWorkbenchError(thrown));
      }
      onChange();
      pump();
    },
    async alone(work) {
      if (running || isReserved) {
        throw new WorkbenchError('RUN_STATE', 'A run is being computed, and would disturb the measurement', {
          hint: 'Wait until it has ended, or cancel it.',
        });
      }
      isReserved = true;
      try {
        return await work();
      } finally {
        isReserved = false;
        pump();
      }
    },
    async close() {
      isClosed = true;
      running?.handle.interrupt();
      await running?.rest;
    },
  };
}

const stateText = (run: RunRecord, waiting: readonly string[]): string =>
  waiting.includes(run.runId) ? 'waiting already' : run.state;

function tooManyCrashes(last: string): WorkbenchError {
  return new WorkbenchError('JOB_CRASHED', `${crashLimit.count} jobs crashed within five minutes. The last: ${last}`, {
    hint: 'The runs that wait were kept. Close other programs or choose smaller batches, then let the queue go on.',
  });
}
