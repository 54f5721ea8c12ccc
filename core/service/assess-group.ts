import type { Estimate, ParsedParams, RequestResult } from '../contract/bridge.ts';
import type { RunRequest } from '../contract/run.ts';
import type { MethodSpec } from '../methods/define.ts';
import { sweepCommand } from '../methods/sweep-command.ts';
import { complete, type AssessSurroundings } from './assess.ts';
import { pathNamer } from './path-names.ts';

type Draft = ParsedParams<'runs.assess'>;

/** Estimates look through the history: of a large group a sample, evenly chosen, stands for all. */
const mostEstimated = 16;

/** What runs of a group take one after the other; null when it cannot be told of one of them. */
export async function estimateTogether<T>(
  runs: readonly T[],
  estimate: (run: T) => Promise<Estimate | null>,
): Promise<Estimate | null> {
  const chosen = sample(runs, mostEstimated);
  const estimates: (Estimate | null)[] = [];
  for (const run of chosen) estimates.push(await estimate(run));
  const known = estimates.filter((each) => each !== null);
  return known.length === chosen.length ? together(known, runs.length / chosen.length) : null;
}

/** Runs of a group, all of the first one's method: what is wrong with them, how long all take, and how to ask for them again. */
export async function assessGroup(
  drafts: readonly Draft[],
  where: AssessSurroundings,
): Promise<RequestResult<'runs.assessGroup'>> {
  const requests: RunRequest[] = [];
  let method: MethodSpec | undefined;
  for (const draft of drafts) {
    const { spec, request, complaints } = await complete(draft, where);
    if (!spec || !request) return { count: 0, complaints: [...complaints], estimate: null, command: null };
    method ??= spec;
    requests.push(request);
  }
  const spec = method;
  const isOne = spec !== undefined && requests.every(({ methodId }) => methodId === spec.id);
  if (!isOne) return { count: requests.length, complaints: [], estimate: null, command: null };
  return {
    count: requests.length,
    complaints: [],
    estimate: await estimateTogether(requests, (request) => where.estimate(spec, request)),
    command: sweepCommand(spec, requests, { nameOfPath: pathNamer(where.cwd) }) ?? null,
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
