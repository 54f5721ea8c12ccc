import { WorkbenchError } from '../base/errors.ts';
import type { RunEvent } from '../contract/run.ts';
import type { JobStore } from './client.ts';

/** Ends a queued run by a job that never began but says how it ended, so that the history is complete; gives its event. */
export function cancelUnstarted(
  store: Pick<JobStore, 'createJob' | 'nextSeq' | 'appendEvent'>,
  runId: string,
  atMs: number,
): RunEvent {
  const jobId = store.createJob(runId);
  const error = new WorkbenchError('CANCELLED', `Run ${runId} was cancelled before it began`, {
    hint: 'It can be resumed, and then begins at its beginning.',
  });
  const event: RunEvent = {
    type: 'finished',
    runId,
    jobId,
    seq: store.nextSeq(jobId),
    atMs,
    state: 'cancelled',
    error: error.toShape(),
  };
  store.appendEvent(event);
  return event;
}
