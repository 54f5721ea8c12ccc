import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { WorkbenchError } from '../base/errors.ts';
import type { LaneAnswer, LaneOpened, LaneRequest } from './lane-process.ts';
import type { Lane, Session, SessionOptions, Tensors } from './session.ts';

type Asked = LaneRequest extends infer R ? (R extends LaneRequest ? Omit<R, 'id'> : never) : never;

interface Waiting {
  readonly resolve: (value: LaneOpened | Tensors | null) => void;
  readonly reject: (error: WorkbenchError) => void;
}

/**
 * Processes that run sessions side by side. Independent work (batches of impressions, arms of a comparison) goes to
 * lanes of one thread each: it scales better than threads inside small operators, and its bits do not depend on how
 * many lanes there are.
 */
export function openLanes(count: number): Lane[] {
  return Array.from({ length: count }, () => openLane());
}

function openLane(): Lane {
  const child = fork(fileURLToPath(new URL('./lane-process.ts', import.meta.url)), [], {
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const waiting = new Map<number, Waiting>();
  let nextId = 0;
  let ended: WorkbenchError | undefined;
  child.on('message', (message) => {
    const reply = message as LaneAnswer;
    const asked = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.ok) asked?.resolve(reply.value);
    else asked?.reject(WorkbenchError.fromShape(reply.error));
  });
  child.on('exit', (code, signal) => {
    ended = new WorkbenchError(
      'JOB_CRASHED',
      `A computing process ended with ${signal ?? `exit code ${code}`} in the middle of its work`,
      {
        hint: 'Most often the machine ran out of memory: choose a smaller batch, fewer lanes, or close other programs.',
      },
    );
    for (const { reject } of waiting.values()) reject(ended);
    waiting.clear();
  });
  const ask = (request: Asked): Promise<LaneOpened | Tensors | null> =>
    new Promise((resolve, reject) => {
      if (ended) return reject(ended);
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      child.send({ ...request, id });
    });
  return {
    async open(bytes, options, title) {
      const { lane: _, ...plain } = options;
      const opened = (await ask({ type: 'open', bytes, options: plain, title })) as LaneOpened;
      return laneSession(opened, ask);
    },
    close: () => closeChild(child),
  };
}

function laneSession(opened: LaneOpened, ask: (request: Asked) => Promise<LaneOpened | Tensors | null>): Session {
  return {
    inputNames: opened.inputNames,
    outputNames: opened.outputNames,
    run: async (feeds) => ({ ...((await ask({ type: 'run', session: opened.session, feeds })) as Tensors) }),
    close: async () => {
      await ask({ type: 'close', session: opened.session });
    },
  };
}

function closeChild(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    // A lane may be deep inside a kernel, which nothing else stops.
    child.kill('SIGKILL');
  });
}

/** Session options for work in a lane. */
export const inLane = (options: SessionOptions, lane: Lane): SessionOptions => ({ ...options, lane });
