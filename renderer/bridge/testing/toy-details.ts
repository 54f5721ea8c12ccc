import type { RunDetails } from '../../../core/contract/history.ts';
import type { Artifact } from '../../../core/contract/run.ts';

/** What the history says of a run `r` that computes and has left `artifacts` so far. */
export function toyDetails(artifacts: Artifact[] = []): RunDetails {
  const row = {
    runId: 'r',
    state: 'running' as const,
    methodId: 'm',
    recipe: null,
    params: {},
    models: {},
    data: {},
    limits: {},
    dims: {},
    createdAtMs: 0,
    startedAtMs: 0,
    finishedAtMs: null,
    durationMs: 0,
    metrics: {},
    error: null,
    resumable: false,
    isPaused: false,
    tags: [],
    note: '',
    groupId: null,
    deletedAtMs: null,
  };
  return {
    row,
    record: {
      ...row,
      request: { methodId: 'm', methodVersion: 1, params: {}, models: {}, data: {}, device: 'cpu', threads: 1 },
      environment: null,
      artifacts,
      jobs: 1,
    },
    progress: null,
    tables: [],
    queuePosition: null,
    command: null,
    origin: null,
    lastEvent: null,
  };
}
