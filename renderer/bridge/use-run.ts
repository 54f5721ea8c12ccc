import { useCallback, useEffect, useRef, useState } from 'react';
import { followRun, type FollowedRun, type KnownRun } from './follow-run.ts';
import { useBridge } from './use-bridge.ts';

interface LiveRun extends KnownRun {
  reload(): void;
}

const nothing: KnownRun = { view: undefined, error: undefined };

/** A run, alive for as long as the component is on screen. */
export function useRun(runId: string): LiveRun {
  const bridge = useBridge();
  const [shown, setShown] = useState<{ readonly runId: string; readonly known: KnownRun }>({ runId, known: nothing });
  const followed = useRef<FollowedRun>(undefined);
  useEffect(() => {
    const run = followRun(bridge, runId, (known) => setShown({ runId, known }));
    followed.current = run;
    return () => run.stop();
  }, [bridge, runId]);
  const reload = useCallback(() => followed.current?.reload(), []);
  return { ...(shown.runId === runId ? shown.known : nothing), reload };
}
