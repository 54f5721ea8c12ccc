import { WorkbenchError } from '../base/errors.ts';
import { startChild } from './child-process.ts';
import type { LaneAnswer, LaneOpened, LaneRequest } from './lane-process.ts';
import type { Lane, Session, Tensors } from './session.ts';

type Asked = LaneRequest extends infer R ? (R extends LaneRequest ? Omit<R, 'id'> : never) : never;

interface Waiting {
  readonly resolve: (value: LaneOpened | Tensors | null) => void;
  readonly reject: (error: WorkbenchError) => void;
}

export interface LaneProcess extends Lane {
  /** undefined when the process could not be started. */
  readonly pid: number | undefined;
}

/**
 * Processes that run sessions side by side. Independent work (batches of impressions, arms of a comparison) goes to
 * lanes of one thread each: it scales better than threads inside small operators, and its bits do not depend on how
 * many lanes there are.
 */
export function openLanes(count: number): LaneProcess[] {
  return Array.from({ length: count }, () => openLane());
}

function openLane(): LaneProcess {
  const child = startChild(new URL('./lane-process.ts', import.meta.url));
  const waiting = new Map<number, Waiting>();
  const gone = Promise.withResolvers<void>();
  let nextId = 0;
  let ended: WorkbenchError | undefined;
  const end = (how: string): void => {
    ended ??= crashed(how);
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
    gone.resolve();
  };
  child.onMessage((message) => {
    const reply = message as LaneAnswer;
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.ok) asked?.resolve(reply.value);
    else asked?.reject(WorkbenchError.fromShape(reply.error));
  });
  child.onExit(({ exitCode, signal, error }) => end(error?.message ?? signal ?? `exit code ${exitCode}`));
  const ask = (request: Asked): Promise<LaneOpened | Tensors | null> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(ended);
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      // A message that cannot be sent has lost its reader: the exit that follows rejects what waits.
      child.post({ ...request, id }, () => child.kill());
    });
  return {
    pid: child.pid,
    async open(bytes, options, title) {
      const { lane: _, ...plain } = options;
      const opened = (await ask({ type: 'open', bytes, options: plain, title })) as LaneOpened;
      return laneSession(opened, ask);
    },
    close() {
      // A lane may be deep inside a kernel, which nothing else stops.
      child.kill();
      return gone.promise;
    },
  };
}

const crashed = (how: string): WorkbenchError =>
  new WorkbenchError('JOB_CRASHED', `A computing process ended with ${how} in the middle of its work`, {
    hint: 'Most often the machine ran out of memory: choose a smaller batch, fewer lanes, or close other programs.',
  });

function laneSession(opened: LaneOpened, ask: (request: Asked) => Promise<LaneOpened | Tensors | null>): Session {
  return {
    inputNames: opened.inputNames,
    outputNames: opened.outputNames,
    run: async (feeds) => ({ ...((await ask({ type: 'run', session: opened.session, feeds })) as Tensors) }),
    async close() {
      try {
        await ask({ type: 'close', session: opened.session });
      } catch (thrown) {
        // The session went with its process.
        if (!(thrown instanceof WorkbenchError && thrown.code === 'JOB_CRASHED')) throw thrown;
      }
    },
  };
}
