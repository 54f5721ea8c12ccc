import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { MessageChannelMain, utilityProcess, type MessagePortMain, type UtilityProcess } from 'electron';
import {
  bareEnvironment,
  type Child,
  type ChildExit,
  type ChildOptions,
  type StartChild,
} from '../core/runtime/child-process.ts';
import { holdTo, usageOfOurs } from './limits.ts';
import {
  afterMs,
  entryOf,
  FromWorker,
  lastWordsMs,
  openLine,
  type ToWorker,
  type WorkerEntry,
} from './worker-protocol.ts';

const workerModule = fileURLToPath(new URL('./worker.cjs', import.meta.url));
const outputKept = 4000;
/** More than any method asks for at once; a worker that wants more has gone wrong. */
const mostNested = 256;

interface Launched {
  /** Undefined until the system has started it. */
  readonly pid: number | undefined;
  onStart(listener: (pid: number) => void): void;
  kill(): void;
  readonly exited: Promise<ChildExit>;
}

/** Starts children of the workbench as utility processes, which need no Node beside the application. */
export const startUtility: StartChild = (module, { limits, hasBareEnvironment: isBare = false } = {}) => {
  const { port1, port2 } = new MessageChannelMain();
  const line = openLine(port1);
  const launched = launch(entryOf(module), { limits, isBare }, port2);
  return {
    ...childOf(launched),
    post: (message) => void line.send(message),
    onMessage: (listener) => line.onMessage(listener),
    onExit(listener) {
      void launched.exited.then(async (exit) => {
        await Promise.race([line.closed, afterMs(lastWordsMs)]);
        listener(exit);
      });
    },
  };
};

const childOf = (launched: Launched): Pick<Child, 'pid' | 'onStart' | 'usage' | 'kill'> => ({
  pid: undefined,
  usage: async () => Promise.resolve(launched.pid === undefined ? undefined : usageOfOurs(launched.pid)),
  onStart: (listener) => launched.onStart(listener),
  kill: () => launched.kill(),
});

interface LaunchOptions {
  readonly limits: ChildOptions['limits'];
  readonly isBare: boolean;
}

function launch(entry: WorkerEntry, { limits, isBare }: LaunchOptions, port: MessagePortMain): Launched {
  const child = utilityProcess.fork(workerModule, [], {
    serviceName: `Palimpsest ${entry}`,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(isBare ? { env: bareEnvironment() } : {}),
    ...(isBare || limits ? { execArgv: ['--max-old-space-size=2048'] } : {}),
  });
  const exited = Promise.withResolvers<ChildExit>();
  const started = Promise.withResolvers<number>();
  let output = '';
  let isGone = false;
  const keep = (chunk: { toString(): string }): void => {
    output = (output + chunk.toString()).slice(-outputKept);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.on('error', (type, location) => keep(`${type} at ${location}\n`));
  child.on('spawn', () => child.pid !== undefined && started.resolve(child.pid));
  const endNested = serveNested(child);
  child.on('exit', (code) => {
    isGone = true;
    endNested();
    exited.resolve({ ...endOf(code), output });
  });
  const begin: ToWorker = { kind: 'begin', entry };
  if (limits) {
    // It is held before it hears of anything that a stranger has made.
    void started.promise
      .then(async (pid) => holdTo(pid, limits))
      .then(() => isGone || child.postMessage(begin, [port]));
  } else child.postMessage(begin, [port]);
  return {
    get pid() {
      return child.pid;
    },
    onStart: (listener) => void started.promise.then(listener),
    // A kernel in the middle of its work does not hear a polite request.
    kill: () => void started.promise.then((pid) => isGone || process.kill(pid, 'SIGKILL')),
    exited: exited.promise,
  };
}

/** Starts and ends further workers for one that asks for them. Returns the function that ends all of them. */
function serveNested(parent: UtilityProcess): () => void {
  const nested = new Map<number, Launched>();
  const tell = (order: ToWorker, ports: MessagePortMain[] = []): void => parent.postMessage(order, ports);
  parent.on('message', (message) => {
    const order = FromWorker.safeParse(message);
    if (!order.success) return;
    if (order.data.kind === 'kill') return nested.get(order.data.child)?.kill();
    const { child, entry, isBare, limits } = order.data;
    if (nested.has(child) || nested.size >= mostNested) return;
    const { port1, port2 } = new MessageChannelMain();
    const launched = launch(entry, { limits, isBare }, port2);
    nested.set(child, launched);
    launched.onStart((pid) => tell({ kind: 'started', child, pid }, [port1]));
    void launched.exited.then(({ exitCode, signal, output }) => {
      nested.delete(child);
      tell({ kind: 'ended', child, exit: { exitCode, signal, output } });
    });
  });
  return () => {
    for (const each of nested.values()) each.kill();
  };
}

/**
 * The system's status of an ended process, as Electron passes it on: a small number that is a signal's, or 128 and that.
 * Our processes end themselves with 0 or 1 only.
 */
function endOf(code: number): Pick<ChildExit, 'exitCode' | 'signal'> {
  const number = code > 128 ? code - 128 : code;
  const [signal] = Object.entries(constants.signals).find(([, each]) => each === number) ?? [];
  return signal === undefined || number < 3 ? { exitCode: code, signal: null } : { exitCode: null, signal };
}
