import { wallClock } from '../core/base/clock.ts';
import { exitCodeOf } from './exit-codes.ts';
import { processTerminal } from './terminal.ts';
import type { Surroundings } from './verb.ts';

/** `palimpsest list | head` closes our output early, and so does a terminal window; that is no fault of ours. */
const isReaderGone = ({ code }: NodeJS.ErrnoException): boolean => code === 'EPIPE' || code === 'EIO';

/** This process: its streams, clock and Ctrl-C. */
export function processSurroundings(options: Pick<Surroundings, 'specs' | 'launch'>): Surroundings {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (isReaderGone(error)) return;
    process.stderr.write(`error: Cannot write to standard output: ${error.message} [WORKSPACE_UNUSABLE]\n`);
    process.exit(exitCodeOf('WORKSPACE_UNUSABLE'));
  });
  // What cannot be said must not end a run.
  process.stderr.on('error', () => {});
  return {
    ...options,
    terminal: processTerminal(),
    cwd: process.cwd(),
    env: process.env,
    now: wallClock,
    elapsed: () => performance.now(),
    random: Math.random,
    onInterrupt(listener) {
      const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
      for (const signal of signals) process.on(signal, listener);
      return () => {
        for (const signal of signals) process.off(signal, listener);
      };
    },
  };
}
