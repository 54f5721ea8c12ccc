import { toWorkbenchError, type WorkbenchError } from '../../core/base/errors.ts';
import type { Bridge } from '../../core/contract/bridge.ts';
import type { RunEvent } from '../../core/contract/run.ts';
import { applyEvent, loadRun, type RunView } from './run-state.ts';

/** What is known of a run: its newest view, and why it could not be loaded anew since. */
export interface KnownRun {
  readonly view: RunView | undefined;
  readonly error: WorkbenchError | undefined;
}

export interface FollowedRun {
  reload(): void;
  stop(): void;
}

/** Events are gathered this long before the page is drawn, or the run loaded, anew. */
const frameMs = 100;
/** Waits between loads that fail; the last one for as long as they do. */
const retryMs = [1000, 2000, 4000, 8000, 15_000];

/**
 * Keeps a run alive: loaded, carried on by events, loaded anew when its state changes or the host was away. While that
 * takes time, or fails, the view that is there goes on.
 */
export function followRun(
  bridge: Pick<Bridge, 'request' | 'subscribe'>,
  runId: string,
  show: (known: KnownRun) => void,
): FollowedRun {
  let known: KnownRun = { view: undefined, error: undefined };
  /** While a load is under way: what came since it was asked for. Its answer may or may not hold it. */
  let early: RunEvent[] | undefined;
  let isStale = false;
  let isStopped = false;
  let failures = 0;
  const drawing = timer();
  const loading = timer();
  const retrying = timer();

  const load = (): void => {
    loading.clear();
    retrying.clear();
    // The answer on its way may be older than what this call is about.
    isStale = early !== undefined;
    if (isStopped || early) return;
    early = [];
    loadRun(bridge, runId).then(
      (loaded) => {
        failures = 0;
        end({ view: early?.reduce(applyEvent, loaded) ?? loaded, error: undefined });
        if (isStale) load();
      },
      (thrown: unknown) => {
        end({ view: known.view, error: toWorkbenchError(thrown) });
        if (!isStopped) retrying.start(load, retryMs[Math.min(failures++, retryMs.length - 1)] ?? 0);
      },
    );
  };
  const end = (next: KnownRun): void => {
    early = undefined;
    known = next;
    drawing.clear();
    if (!isStopped) show(known);
  };
  const take = (event: RunEvent): void => {
    early?.push(event);
    if (!known.view) return;
    known = { ...known, view: applyEvent(known.view, event) };
    drawing.start(() => show(known), frameMs);
  };
  const leave = bridge.subscribe((event) => {
    const said = event.type === 'job' && event.event.runId === runId ? event.event : undefined;
    const isChange =
      event.type === 'reset' || (event.type === 'run' && event.row.runId === runId) || said?.type === 'finished';
    if (isChange) loading.start(load, frameMs);
    if (said) take(said);
  });
  load();
  return {
    reload: load,
    stop() {
      isStopped = true;
      leave();
      for (const each of [drawing, loading, retrying]) each.clear();
    },
  };
}

/** One thing to be done later; asked again meanwhile, it stays as it is. */
function timer() {
  let pending: ReturnType<typeof setTimeout> | undefined;
  const clear = (): void => {
    clearTimeout(pending);
    pending = undefined;
  };
  return {
    start(work: () => void, ms: number): void {
      pending ??= setTimeout(() => {
        pending = undefined;
        work();
      }, ms);
    },
    clear,
  };
}
