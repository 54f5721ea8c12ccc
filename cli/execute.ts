import { toWorkbenchError, type ErrorShape } from '../core/base/errors.ts';
import type { RunRecord } from '../core/contract/run.ts';
import { startJob, type JobHandle } from '../core/jobs/client.ts';
import type { MethodSpec } from '../core/methods/define.ts';
import { writeReport } from '../core/service/report-files.ts';
import type { Workspace } from '../core/store/workspace.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { createProgress, type Progress } from './progress.ts';
import { noteError } from './report-error.ts';
import { resultJson, resultText, shortPath, withWorkspaceFlag, type PlaceNames } from './result.ts';
import { tableBlocks } from './tables.ts';
import type { Surroundings } from './verb.ts';

export interface Execution {
  readonly workspace: Workspace;
  readonly runId: string;
  /** Go on from the last checkpoint instead of starting a queued run. */
  readonly resume: boolean;
  readonly spec: MethodSpec;
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly isUsualWorkspace: boolean;
  readonly here: Surroundings;
}

const silent: Progress = { on: () => {}, end: () => {} };

/** How a run came out of a job. */
export interface Outcome {
  readonly record: RunRecord;
  /** Path of its report as HTML. */
  readonly report: string | undefined;
  /** What kept the job from being a job at all; what the run failed with is in its record. */
  readonly refusal: ErrorShape | undefined;
  /** By Ctrl-C. */
  readonly isStopped: boolean;
}

/** Computes a queued or stopped run, shows how it came out, and gives the exit code. */
export async function executeRun(execution: Execution): Promise<number> {
  const { workspace, spec, isJson, here } = execution;
  const { terminal } = here;
  const outcome = await computeRun(execution);
  const { record, report, refusal, isStopped } = outcome;
  if (isJson) {
    terminal.write(`${JSON.stringify(resultJson(workspace, record, { report, error: refusal }))}\n`);
  }
  if (refusal) noteError(terminal, refusal);
  else if (isStopped) terminal.note(`Stopped. Go on with: ${resumeCommand(execution)}\n`);
  else if (record.error) noteError(terminal, withoutDetails(record.error));
  else if (!isJson) {
    const tables = tableBlocks(workspace, record.runId);
    terminal.write(resultText(terminal, record, spec, placesOf(execution), report, tables));
  }
  const isLeft = !refusal && !isStopped && record.error !== null && report !== undefined;
  if (isLeft) terminal.note(`What it had made until then: ${shortPath(report, here.cwd)}\n`);
  return exitCodeFor(outcome);
}

export function exitCodeFor({ record, refusal, isStopped }: Outcome): number {
  if (refusal) return exitCodeOf(refusal.code);
  if (isStopped) return exitCodes.cancelled.code;
  return record.error ? exitCodeOf(record.error.code) : exitCodes.ok.code;
}

export const placesOf = ({
  workspace,
  isUsualWorkspace,
  here,
}: Pick<Execution, 'workspace' | 'isUsualWorkspace' | 'here'>): PlaceNames => ({
  cwd: here.cwd,
  workspaceDir: workspace.dir,
  isUsualWorkspace,
});

const resumeCommand = (execution: Execution): string =>
  withWorkspaceFlag(`palimpsest resume ${execution.runId}`, placesOf(execution));

/** Computes a queued or stopped run in a process of its own, shows its progress, and writes its report. */
export async function computeRun(execution: Execution): Promise<Outcome> {
  const { workspace, runId, spec, isQuiet, here } = execution;
  const { terminal } = here;
  const progress = isQuiet ? silent : createProgress(terminal, spec.metrics);
  const refuse = (thrown: unknown): Outcome => {
    progress.end();
    const refusal = toWorkbenchError(thrown).toShape();
    return { record: leftBy(workspace, runId), report: undefined, refusal, isStopped: false };
  };
  let job: JobHandle;
  try {
    job = startJob({
      store: workspace,
      runId,
      resume: execution.resume,
      now: here.now,
      onEvent: (event) => progress.on(event),
      ...(here.launch ? { launch: here.launch } : {}),
    });
  } catch (thrown) {
    return refuse(thrown);
  }
  const interrupts = watchInterrupts(job, here, () => {
    progress.end();
    terminal.note(`Stopping. The run is kept; go on with: ${resumeCommand(execution)}\n`);
  });
  let record: RunRecord;
  try {
    record = await job.done;
  } catch (thrown) {
    return refuse(thrown);
  } finally {
    interrupts.end();
  }
  progress.end();
  const isStopped = record.state === 'cancelled' || (record.state === 'interrupted' && interrupts.count > 0);
  return { record, report: reportFor(execution, record), refusal: undefined, isStopped };
}

/** A history that could not be written still says that the run is running; the next to open it will know better. */
function leftBy(workspace: Workspace, runId: string): RunRecord {
  const record = workspace.getRun(runId);
  return record.state === 'running' ? { ...record, state: 'interrupted' } : record;
}

interface Interrupts {
  readonly count: number;
  end(): void;
}

/** npx and timeout hand a signal on that the terminal has sent to this process already: both are one press. */
const onePressMs = 400;

/** Ctrl-C once: cancel. Twice: kill the job, which keeps its last checkpoint. */
function watchInterrupts(job: JobHandle, here: Surroundings, onFirst: () => void): Interrupts {
  let count = 0;
  let heardAtMs = Number.NEGATIVE_INFINITY;
  const end = here.onInterrupt(() => {
    if (here.elapsed() - heardAtMs < onePressMs) return;
    heardAtMs = here.elapsed();
    count++;
    if (count === 1) {
      onFirst();
      job.cancel();
    } else if (job.pid !== undefined) killQuietly(job.pid);
  });
  return {
    get count() {
      return count;
    },
    end,
  };
}

function killQuietly(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself in the meantime.
  }
}

/** A run that stopped half-way has no report: it goes on. A report that cannot be made never costs the result. */
function reportFor({ workspace, runId, spec, here }: Execution, record: RunRecord): string | undefined {
  const isWorthReading = record.state === 'succeeded' || (record.state === 'failed' && record.artifacts.length > 0);
  if (!isWorthReading) return undefined;
  try {
    return writeReport(workspace, runId, spec).html;
  } catch (thrown) {
    here.terminal.note(`warning: the report could not be written: ${toWorkbenchError(thrown).message}\n`);
    return undefined;
  }
}

const withoutDetails = ({ code, message, hint }: ErrorShape): ErrorShape => ({ code, message, hint });
