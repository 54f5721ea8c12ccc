import type { RunEvent } from '../contract/run.ts';

/** A job that has not ended, and that no parent listens to. */
export interface StrayJob {
  readonly jobId: string;
  /** Ends its process at once. Does nothing where it cannot be told from a later one with its number. */
  kill(): void;
}

export interface StrayStore {
  /** The jobs that have not ended and whose process lives. */
  livingJobs(): readonly StrayJob[];
  interruptOrphans(jobIds: readonly string[]): readonly RunEvent[];
}

export interface StrayOptions {
  readonly store: StrayStore;
  /** Sees the last event of each, when its process has gone. */
  readonly onEvent: (event: RunEvent) => void;
  readonly lookEveryMs?: number;
  /** Time that they have from now on; a process without a parent ends by itself within 30 s, unless it hangs. */
  readonly graceMs?: number;
}

/**
 * Watches the jobs that a host before this one, which was killed, has left behind, so that their runs are interrupted as
 * soon as they have gone. To be called before this host starts a job. Returns the function that stops watching.
 */
export function watchStrays({ store, onEvent, lookEveryMs = 500, graceMs = 40_000 }: StrayOptions): () => void {
  const strays = store.livingJobs();
  const waiting = new Set(strays.map(({ jobId }) => jobId));
  if (waiting.size === 0) return () => {};
  const look = (): void => {
    const events = interrupted(store, [...waiting]);
    for (const { jobId } of events) waiting.delete(jobId);
    if (waiting.size === 0) stop();
    for (const event of events) onEvent(event);
  };
  const killAll = (): void => {
    for (const stray of strays) if (waiting.has(stray.jobId)) stray.kill();
  };
  const poll = setInterval(look, lookEveryMs).unref();
  const alarm = setTimeout(killAll, graceMs).unref();
  const stop = (): void => {
    clearInterval(poll);
    clearTimeout(alarm);
  };
  return stop;
}

/** None when the history cannot be written now: it is tried again. */
function interrupted(store: StrayStore, jobIds: readonly string[]): readonly RunEvent[] {
  try {
    return store.interruptOrphans(jobIds);
  } catch {
    return [];
  }
}
