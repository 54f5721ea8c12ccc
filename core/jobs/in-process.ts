import { serveJob, type HostOptions } from './host.ts';
import type { JobExit } from './crash.ts';
import type { JobLauncher } from './launch.ts';

/** Runs the host in this process over a port in memory: for tests. Messages are copied and arrive later, as over a pipe. */
export function inProcess(options: HostOptions): JobLauncher {
  return () => {
    const toHost: ((message: unknown) => void)[] = [];
    const toParent: ((message: unknown) => void)[] = [];
    const onClose: (() => void)[] = [];
    const onExit: ((exit: JobExit) => void)[] = [];
    let isOpen = true;
    const deliver = (listeners: readonly ((message: unknown) => void)[], message: unknown): void => {
      const copy: unknown = structuredClone(message);
      setImmediate(() => {
        if (isOpen) for (const listener of listeners) listener(copy);
      });
    };
    const exit = (result: Omit<JobExit, 'output'>): void => {
      setImmediate(() => {
        if (!isOpen) return;
        isOpen = false;
        for (const listener of onExit) listener({ ...result, output: '' });
      });
    };
    const host = serveJob(
      {
        async post(message) {
          if (isOpen) deliver(toParent, message);
        },
        onMessage: (listener) => void toHost.push(listener),
        onClose: (listener) => void onClose.push(listener),
      },
      options,
    );
    host.done.then(
      () => exit({ exitCode: 0, signal: null }),
      () => exit({ exitCode: 1, signal: null }),
    );
    return {
      pid: process.pid,
      onStart: (listener) => listener(process.pid),
      usage: async () => Promise.resolve(undefined),
      post: (message) => deliver(toHost, message),
      kill() {
        exit({ exitCode: null, signal: 'SIGKILL' });
        setImmediate(() => onClose.forEach((listener) => listener()));
      },
      onMessage: (listener) => void toParent.push(listener),
      onExit: (listener) => void onExit.push(listener),
    };
  };
}
