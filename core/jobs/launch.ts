import { fork } from 'node:child_process';
import type { JobExit } from './crash.ts';

/** The parent's end of a running job. */
export interface JobProcess {
  readonly pid: number | undefined;
  post(message: unknown): void;
  /** Ends it at once, without its help. */
  kill(): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once, after the last message. */
  onExit(listener: (exit: JobExit) => void): void;
}

export type JobLauncher = () => JobProcess;

const outputKept = 4000;

/** Starts a module as a Node process of its own. Its output is kept for a crash report, not shown. */
export function forkModule(module: URL): JobProcess {
  const child = fork(module, {
    execPath: process.execPath,
    execArgv: [],
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
    post(message) {
      // A process that is gone is reported by onExit; what was meant for it is lost either way.
      if (child.connected && typeof message === 'object' && message !== null) child.send(message, () => {});
    },
    kill: () => void child.kill('SIGKILL'),
    onMessage: (listener) => void child.on('message', listener),
    onExit(listener) {
      let hasExited = false;
      const exit = (result: Omit<JobExit, 'output'>): void => {
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

export const forkJob: JobLauncher = () => forkModule(new URL('./job-process.ts', import.meta.url));
