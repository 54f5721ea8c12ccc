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

/** Computes a queued or stopped run in a process of its own, shows it, writes its report, and gives the exit code. */
export async function executeRun(execution: Execution): Promise<number> {
  const { workspace, runId, spec, isJson, isQuiet, here } = execution;
  const { terminal } = here;
  const places: PlaceNames = {
    cwd: here.cwd,
    workspaceDir: workspace.dir,
    isUsualWorkspace: execution.isUsualWorkspace,
  };
  const resumeCommand = withWorkspaceFlag(`palimpsest resume ${runId}`, places);
  const progress = isQuiet ? silent : createProgress(terminal, spec.metrics);
  const fail = (thrown: unknown): number => {
    const error = toWorkbenchError(thrown).toShape();
    progress.end();
    if (isJson) terminal.write(`${JSON.stringify(resultJson(workspace, leftBy(workspace, runId), { error }))}\n`);
    noteError(terminal, error);
    return exitCodeOf(error.code);
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
    return fail(thrown);
  }
  const interrupts = watchInterrupts(job, here, () => {
    progress.end();
    terminal.note(`Stopping. The run is kept; go on with: ${resumeCommand}\n`);
  });
  let record: RunRecord;
  try {
    record = await job.done;
  } catch (thrown) {
    return fail(thrown);
  } finally {
    interrupts.end();
  }
  progress.end();
  const report = reportFor(execution, record);
  if (isJson) terminal.write(`${JSON.stringify(resultJson(workspace, record, { report }))}\n`);
  if (record.state === 'cancelled' || (record.state === 'interrupted' && interrupts.count > 0)) {
    terminal.note(`Stopped. Go on with: ${resumeCommand}\n`);
    return exitCodes.cancelled.code;
  }
  const { error } = record;
  if (error) noteError(terminal, withoutDetails(error));
  else if (!isJson) terminal.write(resultText(terminal, record, spec, places, report, tableBlocks(workspace, runId)));
  if (error && report !== undefined) terminal.note(`What it had made until then: ${shortPath(report, here.cwd)}\n`);
  return error ? exitCodeOf(error.code) : exitCodes.ok.code;
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
