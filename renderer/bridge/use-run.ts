import { useCallback, useEffect, useRef, useState } from 'react';
import { toWorkbenchError, type WorkbenchError } from '../../core/base/errors.ts';
import type { RunEvent } from '../../core/contract/run.ts';
import { applyEvent, loadRun, type RunView } from './run-state.ts';
import { useBridge } from './use-bridge.ts';

export interface LiveRun {
  readonly view: RunView | undefined;
  readonly error: WorkbenchError | undefined;
  reload(): void;
}

/** Events are gathered this long before the page is drawn anew. */
const frameMs = 100;

/** A run, alive: loaded once, then carried on by events; loaded anew when its state changes or the host was away. */
export function useRun(runId: string): LiveRun {
  const bridge = useBridge();
  const [view, setView] = useState<RunView | undefined>(undefined);
  const [error, setError] = useState<WorkbenchError | undefined>(undefined);
  const [version, setVersion] = useState(0);
  const current = useRef<RunView | undefined>(undefined);
  const reload = useCallback(() => setVersion((before) => before + 1), []);

  useEffect(() => {
    let isCurrent = true;
    let isLoaded = false;
    let early: RunEvent[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    let again: ReturnType<typeof setTimeout> | undefined;
    const draw = (): void => {
      timer ??= setTimeout(() => {
        timer = undefined;
        setView(current.current);
      }, frameMs);
    };
    const take = (event: RunEvent): void => {
      if (current.current) current.current = applyEvent(current.current, event);
      draw();
    };
    const unsubscribe = bridge.subscribe((event) => {
      const isChange =
        event.type === 'reset' ||
        (event.type === 'run' && event.row.runId === runId) ||
        (event.type === 'job' && event.event.runId === runId && event.event.type === 'finished');
      if (isChange) again ??= setTimeout(reload, frameMs);
      if (event.type !== 'job' || event.event.runId !== runId) return;
      if (isLoaded) take(event.event);
      else early.push(event.event);
    });
    loadRun(bridge, runId).then(
      (loaded) => {
        if (!isCurrent) return;
        current.current = loaded;
        isLoaded = true;
        setError(undefined);
        early.forEach(take);
        early = [];
        setView(current.current);
      },
      (thrown: unknown) => {
        if (isCurrent) setError(toWorkbenchError(thrown));
      },
    );
    return () => {
      isCurrent = false;
      unsubscribe();
      clearTimeout(timer);
      clearTimeout(again);
    };
  }, [bridge, runId, version, reload]);

  return { view: view?.details.record.runId === runId ? view : undefined, error, reload };
}
