import { useEffect, useEffectEvent, useRef, useState } from 'react';
import { toWorkbenchError, type WorkbenchError } from '../../core/base/errors.ts';
import type { DraftRequest } from '../../core/contract/bridge.ts';
import type { Preflight } from '../../core/contract/preflight.ts';
import { useBridge, useRequest } from '../bridge/use-bridge.ts';

export interface LookAhead {
  /** Of the last look; may be of what the form said before. */
  readonly found: Preflight | undefined;
  readonly isStale: boolean;
  readonly isLooking: boolean;
  readonly error: WorkbenchError | undefined;
  /** Looks by itself when the form rests; undefined until it is known. */
  readonly isByItself: boolean | undefined;
  look(): void;
  stop(): void;
}

/** How long a form has to rest before its method looks ahead by itself. */
const restMs = 3000;
/** One for each form that was on the screen. */
let forms = 0;

/** What a method finds out about the run that a form stands for; an edit ends what is under way. */
export function useLookAhead(request: DraftRequest | undefined): LookAhead {
  const bridge = useBridge();
  const [lookId] = useState(() => `${performance.timeOrigin}-${(forms += 1)}`);
  const key = request === undefined ? undefined : JSON.stringify(request);
  const queue = useRequest('queue.facts', {}, (event) => event.type === 'queue').data;
  const settings = useRequest('settings.get', {}).data;
  const [looked, setLooked] = useState<{ readonly key: string; readonly found: Preflight } | undefined>(undefined);
  const [failed, setFailed] = useState<{ readonly key: string; readonly error: WorkbenchError } | undefined>(undefined);
  const [under, setUnder] = useState<string | undefined>(undefined);
  /** Forms that nobody wants looked at again by themselves: stopped by hand. */
  const [refused, setRefused] = useState<string | undefined>(undefined);
  const [tries, setTries] = useState(0);
  const current = useRef(0);

  const stop = (): void => {
    if (under === undefined) return;
    current.current += 1;
    setUnder(undefined);
    // Whether it could be stopped is no matter: nobody waits for its answer.
    bridge.request('runs.stopLooking', { lookId }).catch(() => {});
  };
  const stopForEdit = useEffectEvent(stop);

  const look = (isByItself: boolean): void => {
    if (request === undefined || key === undefined) return;
    current.current += 1;
    const own = current.current;
    setUnder(key);
    setFailed(undefined);
    bridge.request('runs.lookAhead', { request, lookId, isByItself }).then(
      (found) => {
        if (own !== current.current) return;
        setLooked({ key, found });
        setUnder(undefined);
      },
      (thrown: unknown) => {
        if (own !== current.current) return;
        const error = toWorkbenchError(thrown);
        setUnder(undefined);
        // It gave way to a run, and is made when the machine is free again.
        if (isByItself && (error.code === 'RUN_STATE' || error.code === 'CANCELLED')) setTries((before) => before + 1);
        else setFailed({ key, error });
      },
    );
  };
  const lookByItself = useEffectEvent(() => look(true));

  // An edit, and leaving the form.
  useEffect(() => () => stopForEdit(), [key]);

  const isFree = queue !== undefined && queue.running.length === 0 && queue.waiting.length === 0;
  const isDue =
    settings?.looksAhead === true &&
    isFree &&
    key !== undefined &&
    ![looked?.key, failed?.key, under, refused].includes(key);
  useEffect(() => {
    if (!isDue) return undefined;
    const timer = setTimeout(() => lookByItself(), restMs);
    return () => clearTimeout(timer);
  }, [isDue, key, tries]);

  return {
    found: looked?.found,
    isStale: looked !== undefined && looked.key !== key,
    isLooking: under !== undefined,
    error: failed !== undefined && failed.key === key ? failed.error : undefined,
    isByItself: settings?.looksAhead,
    look: () => look(false),
    stop() {
      setRefused(key);
      stop();
    },
  };
}
