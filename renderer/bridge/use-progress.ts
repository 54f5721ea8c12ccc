import { useCallback, useSyncExternalStore } from 'react';
import type { Bridge } from '../../core/contract/bridge.ts';
import type { RunProgress } from '../../core/contract/history.ts';
import { openProgressBook, type ProgressBook } from './progress-book.ts';
import { useBridge } from './use-bridge.ts';

/** One for a window, for as long as its bridge lives. */
const books = new WeakMap<Bridge, ProgressBook>();

function bookOf(bridge: Bridge): ProgressBook {
  const kept = books.get(bridge);
  if (kept) return kept;
  const book = openProgressBook(bridge);
  books.set(bridge, book);
  return book;
}

/** How far a run has come; undefined when it does not compute, or has said nothing yet. */
export function useProgress(runId: string): RunProgress | undefined {
  const bridge = useBridge();
  const book = bookOf(bridge);
  const subscribe = useCallback((listener: () => void) => book.subscribe(listener), [book]);
  return useSyncExternalStore(subscribe, () => book.of(runId));
}
