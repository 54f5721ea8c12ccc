import type { Bridge } from '../../core/contract/bridge.ts';
import type { RunProgress } from '../../core/contract/history.ts';

/** How far the runs have come that compute now, wherever one is listed. */
export interface ProgressBook {
  of(runId: string): RunProgress | undefined;
  /** Calls `listener` whenever any of it changes. Returns the unsubscribing function. */
  subscribe(listener: () => void): () => void;
}

/** Filled from what the host knows already, so that a window opened late does not wait for the next event. */
export function openProgressBook(bridge: Pick<Bridge, 'request' | 'subscribe'>): ProgressBook {
  const known = new Map<string, RunProgress>();
  const listeners = new Set<() => void>();
  const tell = (): void => listeners.forEach((listener) => listener());
  const ask = (): void => {
    bridge.request('runs.progress', {}).then(
      (found) => {
        // What an event has said meanwhile is newer.
        for (const [runId, progress] of Object.entries(found)) {
          if ((known.get(runId)?.atMs ?? Number.NEGATIVE_INFINITY) < progress.atMs) known.set(runId, progress);
        }
        tell();
      },
      // The next event of a run says it as well.
      () => undefined,
    );
  };
  bridge.subscribe((event) => {
    if (event.type === 'reset') {
      known.clear();
      ask();
    }
    if (event.type !== 'job') return;
    const { event: said } = event;
    if (said.type === 'progress') {
      const { phase, step, totalSteps, fraction, remainingMs = null, atMs } = said;
      known.set(said.runId, { phase, step, totalSteps, fraction, remainingMs, atMs });
    } else if (said.type === 'finished') {
      known.delete(said.runId);
    } else return;
    tell();
  });
  ask();
  return {
    of: (runId) => known.get(runId),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
