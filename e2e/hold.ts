import { canMove } from '../core/jobs/states.ts';
import { readWorkspace } from '../core/store/workspace.ts';

/**
 * Stops the process of the run that is being computed where it is, so that no machine is through before a test has
 * looked, and none computes for minutes so that it is not. Gives the function that lets it go on.
 */
export function holdRun(workspace: string): () => void {
  const reader = readWorkspace(workspace, { now: Date.now, random: Math.random, canMove });
  try {
    const pids = reader
      .runIdsIn('running')
      .flatMap((run) => reader.jobs(run))
      .flatMap(({ pid, finishedAtMs }) => (pid === null || finishedAtMs !== null ? [] : [pid]));
    if (pids.length === 0) throw new Error('Expected a run that is being computed');
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    return () => {
      for (const pid of pids.splice(0)) process.kill(pid, 'SIGCONT');
    };
  } finally {
    reader.close();
  }
}
