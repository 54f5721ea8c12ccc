import { useCallback, useMemo } from 'react';
import type { WorkbenchError } from '../../core/base/errors.ts';
import { useAction } from './use-action.ts';
import { useBridge } from './use-bridge.ts';

export interface Measuring {
  readonly isMeasuring: boolean;
  readonly error: WorkbenchError | undefined;
  start(): void;
}

/** Measures devices and speed, which takes seconds; `onDone` after it, also when it failed. */
export function useMeasuring(onDone: () => void): Measuring {
  const bridge = useBridge();
  const { isBusy, error, run } = useAction();
  const start = useCallback(
    () => run(async () => bridge.request('machine.measure', {}).finally(onDone)),
    [bridge, onDone, run],
  );
  return useMemo(() => ({ isMeasuring: isBusy, error, start }), [isBusy, error, start]);
}
