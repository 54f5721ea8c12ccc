import type { Estimate } from '../contract/bridge.ts';
import { RunQuery } from '../contract/history.ts';
import type { RunRequest } from '../contract/run.ts';
import { isSame } from '../methods/command-line.ts';
import type { MethodSpec } from '../methods/define.ts';
import type { WorkspaceReader } from '../store/workspace.ts';
import type { Foreseen } from './first-estimate.ts';
import { growsWith, repeatsOf } from './work.ts';

const lookedAt = 500;
/** Runs of a very different size say little: most of a short one is starting up. */
const largestFactor = 20;

/**
 * What runs with the same models, data, device and threads took on this machine, scaled by the work that the method
 * declares; without such a declaration only runs that differ in the seed count. null when there was none: nothing is said
 * that was not measured.
 */
export function estimateFromHistory(
  workspace: Pick<WorkspaceReader, 'queryRuns' | 'getRun' | 'jobs'>,
  spec: Pick<MethodSpec, 'work'>,
  request: RunRequest,
  foreseen: Pick<Foreseen, 'scale' | 'timeWith' | 'laneBytes'>,
): Estimate | null {
  const query = RunQuery.parse({ methodIds: [request.methodId], states: ['succeeded'], limit: lookedAt });
  const alike = workspace.queryRuns(query).rows.flatMap((row) => {
    const factor = factorFrom(row.params, spec, request.params, foreseen);
    return factor !== undefined && isSameSetting(workspace.getRun(row.runId).request, request) ? [{ row, factor }] : [];
  });
  const exact = alike.filter(({ factor }) => factor === 1);
  const used = exact.length > 0 ? exact : alike;
  const [low, likely, high] = quartiles(used.map(({ row, factor }) => row.durationMs * factor));
  if (low === undefined || likely === undefined || high === undefined) return null;
  // The further away, the less is known: starting up does not scale, and caches end somewhere.
  const spread = 1.1 * Math.max(...used.map(({ factor }) => Math.max(factor, 1 / factor))) ** 0.15;
  const memory = used
    .slice(0, 5)
    .flatMap(({ row }) => workspace.jobs(row.runId).flatMap((job) => job.peakMemoryBytes ?? []));
  const [newest] = used;
  const artifacts = newest ? workspace.getRun(newest.row.runId).artifacts : [];
  const count = used.length === 1 ? 'one run' : `${used.length} runs`;
  return {
    time: { lowMs: low / spread, likelyMs: likely, highMs: high * spread },
    memoryBytes: memory.length === 0 ? null : Math.max(...memory) + foreseen.laneBytes,
    diskBytes: artifacts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    basis: exact.length > 0 ? `From ${count} like it here` : `Scaled from ${count} of another size here`,
  };
}

/** How much longer `wanted` takes than `before`; undefined when that cannot be said. */
function factorFrom(
  before: Readonly<Record<string, unknown>>,
  { work }: Pick<MethodSpec, 'work'>,
  wanted: Readonly<Record<string, unknown>>,
  { scale, timeWith }: Pick<Foreseen, 'scale' | 'timeWith'>,
): number | undefined {
  const scaled = new Set(['seed', ...(work ?? []).flatMap(growsWith)]);
  const rest = (params: Readonly<Record<string, unknown>>): object =>
    Object.fromEntries(Object.entries(params).filter(([name]) => !scaled.has(name)));
  if (!isSame(rest(before), rest(wanted))) return undefined;
  const [times, earlier] = [timeWith(wanted), timeWith(before)];
  const amount = (params: Readonly<Record<string, unknown>>): number =>
    (work ?? []).reduce((sum, part) => sum + repeatsOf(part, { ...scale, params }), 0);
  const byTime = times === null || earlier === null ? undefined : times / earlier;
  const factor = work ? (byTime ?? amount(wanted) / amount(before)) : 1;
  return factor >= 1 / largestFactor && factor <= largestFactor ? factor : undefined;
}

const isSameSetting = (before: RunRequest, wanted: RunRequest): boolean =>
  isSame(before.models, wanted.models) &&
  isSame(before.data, wanted.data) &&
  before.device === wanted.device &&
  before.threads === wanted.threads;

function quartiles(values: readonly number[]): readonly (number | undefined)[] {
  const sorted = values.toSorted((a, b) => a - b);
  return [0.25, 0.5, 0.75].map((share) => sorted[Math.floor(share * (sorted.length - 1))]);
}
