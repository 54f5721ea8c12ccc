import type { MessagePortMain } from 'electron';
import { startChildrenBy, type ChildExit, type StartChild } from '../core/runtime/child-process.ts';
import {
  afterMs,
  entryOf,
  lastWordsMs,
  openLine,
  ToWorker,
  type FromWorker,
  type Line,
  type WorkerEntry,
} from './worker-protocol.ts';

/** Entry of every utility process: makes it look like a forked Node process to what then runs in it, nothing else. */

const entries: Readonly<Record<WorkerEntry, () => Promise<unknown>>> = {
  'job-process': () => import('../core/jobs/job-process.ts'),
  'lane-process': () => import('../core/runtime/lane-process.ts'),
  'isolated-load-process': () => import('../core/runtime/isolated-load-process.ts'),
  'apart-process': () => import('../core/service/apart-process.ts'),
  'probe-process': () => import('../core/service/probe-process.ts'),
};

interface Nested {
  started(pid: number, line: Line): void;
  ended(exit: ChildExit): void;
}

const { parentPort } = process;
const nested = new Map<number, Nested>();
let nextChild = 0;

parentPort.on('message', ({ data, ports }) => {
  const order = ToWorker.parse(data);
  if (order.kind === 'begin') void begin(order.entry, only(ports));
  else if (order.kind === 'started') nested.get(order.child)?.started(order.pid, openLine(only(ports)));
  else {
    const { problem, ...exit } = order.exit;
    nested.get(order.child)?.ended({ ...exit, ...(problem === undefined ? {} : { error: new Error(problem) }) });
    nested.delete(order.child);
  }
});

function only(ports: readonly MessagePortMain[]): MessagePortMain {
  const [port] = ports;
  if (!port) throw new Error('Expected the end of a line with this order');
  return port;
}

async function begin(entry: WorkerEntry, port: MessagePortMain): Promise<void> {
  becomeForked(openLine(port));
  startChildrenBy(startThroughMain);
  await entries[entry]();
}

/** `process.send`, `process.connected` and the events 'message' and 'disconnect', as in a process that was forked. */
function becomeForked(line: Line): void {
  const forked = {
    connected: true,
    send(message: unknown, ...[, , done]: [unknown?, unknown?, (() => void)?]): boolean {
      void line.send(message).then(() => done?.());
      return true;
    },
  };
  Object.assign(process, forked);
  void line.closed.then(() => {
    Object.assign(process, { connected: false });
    process.emit('disconnect');
  });
  const listen = (): void => line.onMessage((message) => void process.emit('message', message, undefined));
  process.on('newListener', (name) => {
    // Only once the listener is there: what was sent meanwhile has waited for it.
    if (name === 'message') setImmediate(listen);
  });
}

/** A worker cannot start processes itself; the main process does, and this one talks to them over a line of their own. */
const startThroughMain: StartChild = (module, { limits, hasBareEnvironment = false } = {}) => {
  const child = nextChild++;
  const order = (message: FromWorker): void => parentPort.postMessage(message);
  const line = Promise.withResolvers<Line>();
  const pid = Promise.withResolvers<number>();
  const exited = Promise.withResolvers<ChildExit>();
  nested.set(child, {
    started(id, opened) {
      pid.resolve(id);
      line.resolve(opened);
    },
    ended: exited.resolve,
  });
  order({ kind: 'start', child, entry: entryOf(module), isBare: hasBareEnvironment, limits });
  return {
    pid: undefined,
    onStart: (listener) => void pid.promise.then(listener),
    post: (message) => void line.promise.then(async (opened) => opened.send(message)),
    // Nothing that a worker starts is watched.
    usage: async () => Promise.resolve(undefined),
    kill: () => order({ kind: 'kill', child }),
    onMessage: (listener) => void line.promise.then((opened) => opened.onMessage(listener)),
    onExit(listener) {
      void exited.promise.then(async (exit) => {
        // What it has said may arrive after the news of its end.
        await Promise.race([line.promise.then(async ({ closed }) => closed), afterMs(lastWordsMs)]);
        listener(exit);
      });
    },
  };
};
