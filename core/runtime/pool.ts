/** One step of the job in a slot. */
interface Step<Said> {
  readonly slot: number;
  readonly said: AsyncGenerator<Said, void, void>;
  readonly result: IteratorResult<Said, void>;
}

/**
 * Works through `jobs` with as many at once as there are `workers`, and yields what they say as it comes. Each worker
 * takes the next job when it is done with one. A failure ends all of them and is thrown.
 */
export async function* pool<Worker, Job, Said>(
  workers: readonly Worker[],
  jobs: readonly Job[],
  work: (job: Job, worker: Worker) => AsyncGenerator<Said, void, void>,
): AsyncGenerator<Said, void, void> {
  let next = 0;
  const running = new Map<number, { said: AsyncGenerator<Said, void, void>; step: Promise<Step<Said>> }>();
  const advance = (slot: number, said: AsyncGenerator<Said, void, void>): void => {
    running.set(slot, { said, step: said.next().then((result) => ({ slot, said, result })) });
  };
  const takeJob = (slot: number): void => {
    const worker = workers[slot];
    const job = jobs[next];
    if (worker === undefined || job === undefined) return;
    next++;
    advance(slot, work(job, worker));
  };
  workers.forEach((_, slot) => takeJob(slot));
  try {
    while (running.size > 0) {
      const { slot, said, result } = await Promise.race([...running.values()].map(({ step }) => step));
      running.delete(slot);
      if (result.done) takeJob(slot);
      else {
        advance(slot, said);
        yield result.value;
      }
    }
  } finally {
    // Steps still under way end on their own; their outcome no longer matters, but what they hold is let go.
    for (const { said, step } of running.values()) {
      step.catch(() => undefined);
      said.return().catch(() => undefined);
    }
  }
}
