/**
 * What `said` says until it ends or the signal comes. It does not wait for the step under way then: a step of a large
 * network may take longer than a cancel is allowed to. What the step works with is the caller's to take away.
 */
export async function* untilAborted<Said>(
  said: AsyncGenerator<Said, void, void>,
  signal: AbortSignal,
): AsyncGenerator<Said, void, void> {
  const aborted = Promise.withResolvers<undefined>();
  const onAbort = (): void => aborted.resolve(undefined);
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  try {
    for (;;) {
      const result = await Promise.race([aborted.promise, said.next()]);
      if (result === undefined || result.done) return;
      yield result.value;
    }
  } finally {
    signal.removeEventListener('abort', onAbort);
    said.return().catch(() => undefined);
  }
}
