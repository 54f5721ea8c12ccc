import { invariant } from '../base/errors.ts';
import { wallClock } from '../base/clock.ts';
import { serveJob, type HostOptions, type Port } from './host.ts';

/** The port of a process that was started by startChild. */
function parentPort(): Port {
  invariant(process.send, 'a job process has to be forked by the workbench');
  return {
    post: (message) =>
      new Promise((resolve) => {
        // A parent that is gone is noticed through 'disconnect'.
        if (process.connected && process.send) process.send(message, undefined, undefined, () => resolve());
        else resolve();
      }),
    onMessage: (listener) => void process.on('message', listener),
    onClose: (listener) => void process.on('disconnect', listener),
  };
}

/** Time that a job without a parent has for its last checkpoint. */
const orphanGraceMs = 30_000;

/** The whole life of a forked job process. */
export async function runJobProcess(
  options: Pick<HostOptions, 'registry' | 'inputs' | 'checkpointEveryMs'>,
): Promise<void> {
  const host = serveJob(parentPort(), {
    ...options,
    now: wallClock,
    elapsed: () => performance.now(),
    peakMemoryBytes: () => process.resourceUsage().maxRSS * 1024,
  });
  process.on('uncaughtException', (thrown) => {
    void host.fail(thrown).finally(() => process.exit(1));
  });
  // A method that does not come to a safe point any more must not outlive its parent for ever.
  process.on('disconnect', () => void setTimeout(() => process.exit(1), orphanGraceMs).unref());
  await host.done;
  process.exit(0);
}
