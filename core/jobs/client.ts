import { WorkbenchError, toWorkbenchError } from '../base/errors.ts';
import { RunEvent, type RunRecord } from '../contract/run.ts';
import type { JobCommand } from '../contract/job.ts';
import { removeCheckpoints, removeHalfWritten } from './checkpoints.ts';
import { crashError, type JobExit } from './crash.ts';
import { harmless } from './harmless.ts';
import { launchJob, type JobLauncher, type JobProcess } from './launch.ts';
import { isFinal } from './states.ts';

/** What the parent of a job needs of the history; core/store offers it. */
export interface JobStore {
  /** Absolute path of the workspace. */
  readonly dir: string;
  getRun(runId: string): RunRecord;
  createJob(runId: string): string;
  setJobProcess(jobId: string, pid: number): void;
  nextSeq(jobId: string): number;
  appendEvent(event: RunEvent): { readonly isDurable: boolean };
  /** Ends the jobs (all, or these) that have not ended although their process has, and gives their last events. */
  interruptOrphans(jobIds?: readonly string[]): readonly RunEvent[];
}

export interface JobOptions {
  readonly store: JobStore;
  readonly runId: string;
  /** true: only go on from a checkpoint; false: only start a queued run; absent: whichever the run needs. */
  readonly resume?: boolean;
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Sees every event after it was stored. */
  readonly onEvent?: (event: RunEvent) => void;
  /** How the job process is started; forked when absent. */
  readonly launch?: JobLauncher;
  /** Least time that a cancelled job has to answer before it is killed; 5,000 when absent. */
  readonly cancelGraceMs?: number;
}

export interface JobHandle {
  readonly jobId: string;
  readonly pid: number | undefined;
  /**
   * The run after this job: succeeded, failed, cancelled or interrupted, with its error. Rejects when the run was left
   * as it was: a resume refused before it began (CHECKPOINT_STALE, DEVICE_UNAVAILABLE …), or a history that cannot be
   * written (WORKSPACE_UNUSABLE).
   */
  readonly done: Promise<RunRecord>;
  /** Asks the job to stop at its next safe point; a job that does not answer is killed. May be called again. */
  cancel(): void;
  /** The same for a parent that has to end: nobody gave the run up, so it is interrupted. */
  interrupt(): void;
}

type Finished = Extract<RunEvent, { type: 'finished' }>;

const defaultCancelGraceMs = 5000;

/**
 * Starts a job in a process of its own. Every event is stored, then forwarded.
 * @throws RUN_UNKNOWN; RUN_STATE when the run has finished, is running, or (resume) has nothing to go on from.
 */
export function startJob(options: JobOptions): JobHandle {
  const { store, now, launch = launchJob, cancelGraceMs = defaultCancelGraceMs } = options;
  // The event is stored: whoever cannot hear of it is no reason to end the job.
  const onEvent = harmless(options.onEvent ?? (() => {}));
  const run = store.getRun(options.runId);
  const { runId } = run;
  checkStart(run, options.resume);
  const jobId = store.createJob(runId);
  const child = open({ store, runId, jobId, now, launch, onEvent });
  const result = Promise.withResolvers<RunRecord>();
  const post = (command: JobCommand): void => child.post(command);
  const timing = { lastEventAt: now(), longestStepMs: 0 };
  let hasStarted = false;
  let finished: Finished | undefined;
  let broken: WorkbenchError | undefined;
  let isCancelled = false;
  let isParentEnding = false;
  let silence: string | undefined;
  let killTimer: NodeJS.Timeout | undefined;

  const record = (given: RunEvent): void => {
    const hasBegun = hasStarted || run.state === 'queued';
    const event = isParentEnding && hasBegun ? interrupted(given) : given;
    const { isDurable } = store.appendEvent(event);
    if (isDurable) post({ type: 'stored', seq: event.seq });
    if (event.type === 'started') hasStarted = true;
    if (event.type === 'finished') finished = event;
    onEvent(event);
  };
  /** This side cannot go on: the process is ended, and `done` rejects once it is gone. */
  const giveUp = (thrown: unknown): void => {
    broken ??= toWorkbenchError(thrown);
    child.kill();
  };

  child.onMessage((message) => {
    if (broken || finished) return;
    try {
      const event = parseEvent(message, runId, jobId);
      const atMs = now();
      if (hasStarted) timing.longestStepMs = Math.max(timing.longestStepMs, atMs - timing.lastEventAt);
      timing.lastEventAt = atMs;
      record(event);
      // It has said all it had to say; it must go, too, and give its memory back.
      if (event.type === 'finished') killTimer ??= setTimeout(() => child.kill(), cancelGraceMs);
    } catch (thrown) {
      giveUp(thrown);
    }
  });

  child.onExit((exit) => {
    clearTimeout(killTimer);
    removeHalfWritten(store.dir, runId);
    try {
      if (!finished) {
        if (isCancelled && wasEnded(exit)) silence ??= 'The job was ended before it had answered the cancel';
        const end = broken ? brokenEnd(broken) : silence === undefined ? crashEnd(runId, exit) : silentEnd(silence);
        recordEnd(end, { runId, jobId, atMs: now() }, store, record);
      }
      if (broken) throw broken;
      const after = store.getRun(runId);
      if (isFinal(after.state)) removeCheckpoints(store.dir, runId);
      const wasRefused = run.state !== 'queued' && !hasStarted && finished?.state !== 'cancelled';
      if (wasRefused && finished?.error) throw WorkbenchError.fromShape(finished.error);
      result.resolve(after);
    } catch (thrown) {
      result.reject(broken ?? toWorkbenchError(thrown));
    }
  });

  try {
    child.onStart((pid) => store.setJobProcess(jobId, pid));
    post({
      type: 'start',
      runId,
      jobId,
      workspaceDir: store.dir,
      request: run.request,
      resume: run.startedAtMs !== null,
    });
  } catch (thrown) {
    giveUp(thrown);
  }
  const cancel = (): void => {
    if (isCancelled || finished || broken) return;
    isCancelled = true;
    post({ type: 'cancel' });
    const graceMs = Math.max(cancelGraceMs, 3 * timing.longestStepMs);
    killTimer = setTimeout(() => {
      silence = `The job did not answer a cancel within ${(graceMs / 1000).toFixed(1)} s and was killed`;
      child.kill();
    }, graceMs);
  };
  return {
    jobId,
    pid: child.pid,
    done: result.promise,
    cancel,
    interrupt() {
      isParentEnding = !isCancelled;
      cancel();
    },
  };
}

/** Starts the process of a job. When that fails the attempt ends, so that another one can follow. */
function open(
  job: Pick<Required<JobOptions>, 'store' | 'runId' | 'now' | 'launch' | 'onEvent'> & { readonly jobId: string },
): JobProcess {
  const { store, runId, jobId, now, launch, onEvent } = job;
  try {
    // Of a job whose parent was killed, too.
    removeHalfWritten(store.dir, runId);
    return launch();
  } catch (thrown) {
    const error = toWorkbenchError(thrown);
    recordEnd({ state: 'interrupted', error }, { runId, jobId, atMs: now() }, store, (event) => {
      store.appendEvent(event);
      onEvent(event);
    });
    throw error;
  }
}

function checkStart(run: RunRecord, resume: boolean | undefined): void {
  const { runId, state } = run;
  if (resume === false ? state === 'queued' : run.resumable) return;
  const verb = resume === false ? 'started' : 'resumed';
  const expected = resume === false ? 'a run that waits to be started' : 'one that was stopped';
  throw new WorkbenchError('RUN_STATE', `Run ${runId} cannot be ${verb}: expected ${expected}, got state "${state}"`, {
    hint: run.resumable
      ? `Go on with \`palimpsest resume ${runId}\`.`
      : state === 'running'
        ? 'Wait until its process has ended.'
        : `See its result with \`palimpsest show ${runId}\`, or start a new run.`,
  });
}

function parseEvent(message: unknown, runId: string, jobId: string): RunEvent {
  const parsed = RunEvent.safeParse(message);
  if (!parsed.success) {
    throw new WorkbenchError('INTERNAL', `Job ${jobId} sent a message that is no event: ${parsed.error.message}`);
  }
  if (parsed.data.runId !== runId || parsed.data.jobId !== jobId) {
    throw new WorkbenchError('INTERNAL', `Job ${jobId} sent an event of job ${parsed.data.jobId}`);
  }
  return parsed.data;
}

/** How a job ended that could not say so itself. */
interface End {
  readonly state: Finished['state'];
  readonly error: WorkbenchError;
  readonly warning?: string;
}

/** By a signal of the user's: a terminal sends Ctrl-C to this process, too, and a second one kills it. */
const wasEnded = ({ signal }: JobExit): boolean => ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'].includes(signal ?? '');

const crashEnd = (runId: string, exit: JobExit): End => ({ state: 'interrupted', error: crashError(runId, exit) });

const brokenEnd = (error: WorkbenchError): End => ({ state: 'interrupted', error });

/** What a job says that was stopped for its parent's sake. */
function interrupted(event: RunEvent): RunEvent {
  if (event.type !== 'finished' || event.state !== 'cancelled') return event;
  const error = new WorkbenchError('CANCELLED', `Run ${event.runId} was stopped because the workbench was ended`, {
    hint: 'Resume it; what was done since its last checkpoint is done again.',
  });
  return { ...event, state: 'interrupted', error: error.toShape() };
}

const silentEnd = (warning: string): End => ({
  state: 'cancelled',
  warning,
  error: new WorkbenchError('CANCELLED', warning, {
    hint: 'What was done since the last checkpoint is done again on resume.',
  }),
});

function recordEnd(
  { state, error, warning }: End,
  envelope: { readonly runId: string; readonly jobId: string; readonly atMs: number },
  store: JobStore,
  record: (event: RunEvent) => void,
): void {
  let seq = store.nextSeq(envelope.jobId);
  if (warning !== undefined) record({ ...envelope, seq: seq++, type: 'log', level: 'warning', message: warning });
  record({ ...envelope, seq, type: 'finished', state, error: error.toShape() });
}
