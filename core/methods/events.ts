import type { CheckpointState, MethodEvent } from './context.ts';

/** What a part of a method says, and what comes out of it. */
export type Events<Result> = AsyncGenerator<MethodEvent, Result, void>;

/** A signal that came in the middle of a step: the state is that of the last chunk that was heard of. */
export async function* stopIfAborted(signal: AbortSignal, capture: () => CheckpointState): Events<void> {
  if (!signal.aborted) return;
  yield { type: 'checkpoint', capture };
  signal.throwIfAborted();
}
