import { wallClock } from '../core/base/clock.ts';
import { processTerminal } from './terminal.ts';
import type { Surroundings } from './verb.ts';

/** This process: its streams, clock and Ctrl-C. */
export function processSurroundings(options: Pick<Surroundings, 'specs' | 'launch'>): Surroundings {
  // `palimpsest list | head` closes our output early; that is no fault of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
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
