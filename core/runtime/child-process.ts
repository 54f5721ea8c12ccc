import { fork, type ForkOptions } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { usageOf, type Usage } from './child-process-usage.ts';

/** How a child process ended. */
export interface ChildExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** The end of what it wrote to stdout and stderr. */
  readonly output: string;
  /** It could not be started at all. */
  readonly error?: Error;
}

/** A process of ours that does one kind of work, and may die of it. */
export interface Child {
  /** undefined when it could not be started; see onStart. */
  readonly pid: number | undefined;
  /** Calls `listener` with the process id as soon as it is known, at once where it is. */
  onStart(listener: (pid: number) => void): void;
  /** `onLost`: the message cannot reach the process any more. What ends the process is for onExit to say. */
  post(message: unknown, onLost?: () => void): void;
  /** What it takes now; undefined when it is not there, or where the system does not tell. */
  usage(): Promise<Usage | undefined>;
  /** Ends it at once, without its help. */
  kill(): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once, after the last message. */
  onExit(listener: (exit: ChildExit) => void): void;
}

export interface ChildOptions {
  /** What the system itself holds the process to, where it can. */
  readonly limits?: { readonly memoryBytes: number; readonly cpuSeconds: number };
  /** Give it nothing of this process's environment but what a program needs to start. */
  readonly hasBareEnvironment?: boolean;
}

export type StartChild = (module: URL, options?: ChildOptions) => Child;

const outputKept = 4000;
const gib = 2 ** 30;
let starter: StartChild = forkChild;

/** Starts a module as a process of its own. It answers over `process.send`, and sees 'disconnect' when we are gone. */
export const startChild: StartChild = (module, options) => starter(module, options);

/** Starts children in another way from now on: the application's own program is no Node that could be forked. */
export function startChildrenBy(start: StartChild): void {
  starter = start;
}

function forkChild(module: URL, { limits, hasBareEnvironment = false }: ChildOptions = {}): Child {
  const child = fork(fileURLToPath(module), [], {
    ...(limits ? limitedNode(limits) : { execPath: process.execPath, execArgv: [] }),
    ...(hasBareEnvironment ? { env: bareEnvironment() } : {}),
    serialization: 'advanced',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString()).slice(-outputKept);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return {
    pid: child.pid,
    onStart(listener) {
      if (child.pid !== undefined) listener(child.pid);
    },
    post(message, onLost) {
      if (!child.connected || typeof message !== 'object' || message === null) return onLost?.();
      child.send(message, (error) => error && onLost?.());
    },
    usage: async () => (child.pid === undefined ? undefined : usageOf(child.pid)),
    kill: () => void child.kill('SIGKILL'),
    onMessage: (listener) => void child.on('message', listener),
    onExit(listener) {
      let hasExited = false;
      const exit = (result: Omit<ChildExit, 'output'>): void => {
        if (hasExited) return;
        hasExited = true;
        listener({ ...result, output });
      };
      child.on('error', (error) => {
        if (child.pid === undefined) exit({ exitCode: null, signal: null, error });
      });
      // 'close' waits for the output; messages still under way come before 'disconnect'.
      child.on('close', (exitCode, signal) => {
        if (child.connected) child.once('disconnect', () => exit({ exitCode, signal }));
        else setImmediate(() => exit({ exitCode, signal }));
      });
    },
  };
}

/**
 * How to start Node under limits of the system. A shell sets them and becomes Node, so that the process and its id are the
 * same. They are the net: a process that nobody watches any more ends by itself. Windows has no such shell.
 */
function limitedNode({
  memoryBytes,
  cpuSeconds,
}: NonNullable<ChildOptions['limits']>): Pick<ForkOptions, 'execPath' | 'execArgv'> {
  const node = ['--max-old-space-size=2048', '--no-warnings'];
  if (process.platform === 'win32') return { execPath: process.execPath, execArgv: node };
  // Before it does anything, Node sets aside about 600 MB that it never touches.
  const kilobytes = Math.ceil((memoryBytes + gib) / 1024);
  const script = `ulimit -c 0; ulimit -t ${cpuSeconds}; ulimit -d ${kilobytes} 2>/dev/null; exec "$0" "$@"`;
  return { execPath: '/bin/sh', execArgv: ['-c', script, process.execPath, ...node] };
}

/** Only what a process needs to start: whatever else stands in the environment is no business of a model file. */
export function bareEnvironment(): Record<string, string> {
  const names = ['PATH', 'SystemRoot', 'TMPDIR', 'TEMP', 'TMP', 'LANG'];
  return Object.fromEntries(names.flatMap((name) => [[name, process.env[name] ?? ''] as const].filter(([, v]) => v)));
}
