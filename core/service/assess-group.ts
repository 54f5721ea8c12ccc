import type { Assessment, Complaint, Estimate, ParsedParams, RequestResult } from '../contract/bridge.ts';

type Draft = ParsedParams<'runs.assess'>;

/** Estimates look through the history: of a large group a sample, evenly chosen, stands for all. */
const mostAssessed = 16;

/** Runs of a group one after the other: what is wrong with them, and how long all take. */
export async function assessGroup(
  drafts: readonly Draft[],
  assess: (draft: Draft) => Promise<Assessment>,
): Promise<RequestResult<'runs.assessGroup'>> {
  const chosen = sample(drafts, mostAssessed);
  const assessed: Assessment[] = [];
  for (const draft of chosen) assessed.push(await assess(draft));
  const complaints: Complaint[] = assessed.find((each) => each.complaints.length > 0)?.complaints ?? [];
  const estimates = assessed.flatMap(({ estimate }) => estimate ?? []);
  const isWhole = estimates.length === assessed.length;
  return {
    count: complaints.length === 0 ? drafts.length : 0,
    complaints,
    estimate: isWhole ? together(estimates, drafts.length / assessed.length) : null,
  };
}

function sample<T>(items: readonly T[], most: number): readonly T[] {
  if (items.length <= most) return items;
  return Array.from({ length: most }, (_, i) => Math.round((i * (items.length - 1)) / (most - 1))).flatMap((at) =>
    items.slice(at, at + 1),
  );
}

/** Times and disk add up, memory does not: they run one after the other. */
function together(estimates: readonly Estimate[], factor: number): Estimate | null {
  const [first] = estimates;
  if (!first) return null;
  const add = (values: readonly (number | null)[]): number | null =>
    values.some((value) => value === null)
      ? null
      : factor * values.reduce((sum: number, value) => sum + (value ?? 0), 0);
  const time = (part: 'lowMs' | 'likelyMs' | 'highMs'): number | null =>
    add(estimates.map((each) => each.time?.[part] ?? null));
  const [lowMs, likelyMs, highMs] = [time('lowMs'), time('likelyMs'), time('highMs')];
  const memory = estimates.flatMap(({ memoryBytes }) => memoryBytes ?? []);
  return {
    time: lowMs === null || likelyMs === null || highMs === null ? null : { lowMs, likelyMs, highMs },
    memoryBytes: memory.length === 0 ? null : Math.max(...memory),
    diskBytes: add(estimates.map(({ diskBytes }) => diskBytes)),
    basis: first.basis,
  };
}
