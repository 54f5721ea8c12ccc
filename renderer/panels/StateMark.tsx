import type { RunState } from '../../core/contract/run.ts';
import { stateTitles } from './run-text.ts';

/** A dot and a word; the word carries the meaning. Drawn by the classes of the theme, as a table has many of it. */
export function StateMark({ state, isPaused = false }: { readonly state: RunState; readonly isPaused?: boolean }) {
  return <span className={`state-mark ${state}`}>{isPaused ? 'Paused' : stateTitles[state]}</span>;
}
