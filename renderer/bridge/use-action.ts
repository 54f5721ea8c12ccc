import { useCallback, useMemo, useState } from 'react';
import { toWorkbenchError, type WorkbenchError } from '../../core/base/errors.ts';

/** Something that the user has the window do. */
export interface Action {
  readonly isBusy: boolean;
  /** Why the last one failed, until the next begins. */
  readonly error: WorkbenchError | undefined;
  run(work: () => Promise<unknown>): void;
  /** Takes the error off the screen. */
  forget(): void;
}

/** What is done at a click and may fail: nothing that a button starts ends without a word. */
export function useAction(): Action {
  const [underWay, setUnderWay] = useState(0);
  const [error, setError] = useState<WorkbenchError | undefined>(undefined);
  const forget = useCallback(() => setError(undefined), []);
  const run = useCallback((work: () => Promise<unknown>) => {
    setUnderWay((before) => before + 1);
    setError(undefined);
    work()
      .catch((thrown: unknown) => setError(toWorkbenchError(thrown)))
      .finally(() => setUnderWay((before) => before - 1));
  }, []);
  return useMemo(() => ({ isBusy: underWay > 0, error, run, forget }), [underWay, error, run, forget]);
}
