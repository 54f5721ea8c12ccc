import type { Estimate } from '../contract/bridge.ts';
import { RunQuery, type RunRow } from '../contract/history.ts';
import type { RunRequest } from '../contract/run.ts';
import { isSame } from '../methods/command-line.ts';
import type { WorkspaceReader } from '../store/workspace.ts';

const lookedAt = 500;

/**
 * What runs of the same request but for the seed took on this machine; null when there was none. Nothing is said that was
 * not measured.
 */
export function estimateFromHistory(workspace: WorkspaceReader, request: RunRequest): Estimate | null {
  const query = RunQuery.parse({ methodIds: [request.methodId], states: ['succeeded'], limit: lookedAt });
  const alike = workspace.queryRuns(query).rows.filter((row) => isAlike(row, request, workspace));
  const [low, likely, high] = quartiles(alike.map(({ durationMs }) => durationMs));
  if (low === undefined || likely === undefined || high === undefined) return null;
  const memory = alike
    .slice(0, 5)
    .flatMap(({ runId }) => workspace.jobs(runId).flatMap((job) => job.peakMemoryBytes ?? []));
  const [newest] = alike;
  const artifacts = newest ? workspace.getRun(newest.runId).artifacts : [];
  return {
    time: { lowMs: 0.9 * low, likelyMs: likely, highMs: 1.1 * high },
    memoryBytes: memory.length === 0 ? null : Math.max(...memory),
    diskBytes: artifacts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    basis: alike.length === 1 ? 'One such run was made here' : `${alike.length} such runs were made here`,
  };
}

function isAlike(row: RunRow, request: RunRequest, workspace: WorkspaceReader): boolean {
  if (!isSame(withoutSeed(row.params), withoutSeed(request.params))) return false;
  const before = workspace.getRun(row.runId).request;
  return (
    isSame(before.models, request.models) &&
    isSame(before.data, request.data) &&
    before.device === request.device &&
    before.threads === request.threads
  );
}

const withoutSeed = (params: Readonly<Record<string, unknown>>): Record<string, unknown> => ({ ...params, seed: 0 });

function quartiles(values: readonly number[]): readonly (number | undefined)[] {
  const sorted = values.toSorted((a, b) => a - b);
  return [0.25, 0.5, 0.75].map((share) => sorted[Math.floor(share * (sorted.length - 1))]);
}
