import type { RunState } from '../contract/run.ts';

/** The one table of a run's states: from → where it may go. */
const moves: Readonly<Record<RunState, readonly RunState[]>> = {
  queued: ['running', 'failed', 'cancelled', 'interrupted'],
  running: ['succeeded', 'failed', 'cancelled', 'interrupted'],
  cancelled: ['running'],
  interrupted: ['running'],
  succeeded: [],
  failed: [],
};

export const canMove = (from: RunState, to: RunState): boolean => moves[from].includes(to);

/** Nothing can change a run in such a state any more. */
export const isFinal = (state: RunState): boolean => moves[state].length === 0;
