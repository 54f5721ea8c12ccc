import { useCallback, useMemo, useState } from 'react';
import { toWorkbenchError, type WorkbenchError } from '../../core/base/errors.ts';
import { useBridge } from './use-bridge.ts';

export interface Measuring {
  readonly isMeasuring: boolean;
  readonly error: WorkbenchError | undefined;
  start(): void;
}

/** Measures devices and speed, which takes seconds; `onDone` after it, also when it failed. */
export function useMeasuring(onDone: () => void): Measuring {
  const bridge = useBridge();
  const [isMeasuring, setMeasuring] = useState(false);
  const [error, setError] = useState<WorkbenchError | undefined>(undefined);
  const start = useCallback(() => {
    setMeasuring(true);
    setError(undefined);
    bridge
      .request('machine.measure', {})
      .catch((thrown: unknown) => setError(toWorkbenchError(thrown)))
      .finally(() => {
        setMeasuring(false);
        onDone();
      });
  }, [bridge, onDone]);
  return useMemo(() => ({ isMeasuring, error, start }), [isMeasuring, error, start]);
}
