import { WorkbenchError } from '../base/errors.ts';
import type { ChildExit } from '../runtime/child-process.ts';

/** How a job process ended. */
export type JobExit = ChildExit;

const nativeSignals = new Set(['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE', 'SIGTRAP']);

/** JOB_CRASHED for a job process that ended without a result: what ended it, and what to do. */
export function crashError(runId: string, exit: JobExit): WorkbenchError {
  const { what, hint } = explain(exit);
  const resume = `Go on from the last checkpoint with \`palimpsest resume ${runId}\`.`;
  return new WorkbenchError('JOB_CRASHED', `The process of run ${runId} ${what}`, {
    hint: hint === undefined ? resume : `${hint} ${resume}`,
    details: { exitCode: exit.exitCode, signal: exit.signal, output: exit.output },
    cause: exit.error,
  });
}

function explain({ exitCode, signal, error }: JobExit): { what: string; hint?: string } {
  if (error) return { what: `could not be started: ${error.message}` };
  if (signal === 'SIGKILL' || exitCode === 137) {
    return {
      what: 'was killed (SIGKILL)',
      hint: 'Most often the system does this when memory runs out: close other programs, or start a run with smaller batches.',
    };
  }
  if (exitCode === 134) return { what: 'was aborted (exit code 134)', hint: 'Memory may have run out.' };
  if (signal !== null && nativeSignals.has(signal)) {
    return { what: `crashed in native code (${signal})`, hint: 'Please report it with the details of the run.' };
  }
  if (signal !== null) return { what: `was ended from outside (${signal})` };
  return { what: `ended without a result (exit code ${exitCode ?? 'unknown'})` };
}
