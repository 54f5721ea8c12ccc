import { RunRecord, type RunState } from '../contract/run.ts';
import type { Connection } from './connection.ts';

export interface RunFilter {
  /** Newest first; all when absent. */
  readonly limit?: number;
  readonly state?: RunState;
  readonly methodId?: string;
}

export interface RunRow {
  readonly run_id: string;
  readonly state: RunState;
  readonly request: string;
  readonly created_at_ms: number;
  readonly started_at_ms: number | null;
  readonly finished_at_ms: number | null;
  readonly metrics: string;
  readonly error: string | null;
  readonly has_checkpoint: number;
  readonly jobs: number;
  readonly duration_ms: number;
  readonly environment: string | null;
}

interface ArtifactRow {
  readonly name: string;
  readonly title: string;
  readonly media_type: string;
  readonly sha256: string;
  readonly size_bytes: number;
  readonly meta: string;
}

const selectRuns = `
SELECT run_id, state, request, created_at_ms, started_at_ms, finished_at_ms, metrics, error, has_checkpoint,
  (SELECT COUNT(*) FROM jobs j WHERE j.run_id = r.run_id) AS jobs,
  (SELECT COALESCE(SUM(COALESCE(j.finished_at_ms, j.last_event_at_ms) - j.started_at_ms), 0)
     FROM jobs j WHERE j.run_id = r.run_id AND j.started_at_ms IS NOT NULL) AS duration_ms,
  (SELECT j.environment FROM jobs j WHERE j.run_id = r.run_id AND j.environment IS NOT NULL
     ORDER BY j.ordinal DESC LIMIT 1) AS environment
FROM runs r`;

/** The record of an existing run, by its whole id. */
export function readRun(db: Connection, runId: string): RunRecord {
  const row = db.prepare<[string], RunRow>(`${selectRuns} WHERE run_id = ?`).get(runId);
  return toRecord(db, row);
}

/** Without those in the trash. */
export function listRuns(db: Connection, filter: RunFilter): RunRecord[] {
  const rows = db
    .prepare<{ state: string | null; methodId: string | null; limit: number }, RunRow>(
      `${selectRuns} WHERE deleted_at_ms IS NULL AND (@state IS NULL OR state = @state) AND (@methodId IS NULL OR method_id = @methodId)
       ORDER BY run_id DESC LIMIT @limit`,
    )
    .all({ state: filter.state ?? null, methodId: filter.methodId ?? null, limit: filter.limit ?? -1 });
  return rows.map((row) => toRecord(db, row));
}

function toRecord(db: Connection, row: RunRow | undefined): RunRecord {
  const artifacts = db.prepare<[string], ArtifactRow>(
    'SELECT name, title, media_type, sha256, size_bytes, meta FROM artifacts WHERE run_id = ? ORDER BY ordinal',
  );
  return RunRecord.parse(
    row && {
      runId: row.run_id,
      state: row.state,
      request: JSON.parse(row.request),
      createdAtMs: row.created_at_ms,
      startedAtMs: row.started_at_ms,
      finishedAtMs: row.finished_at_ms,
      durationMs: row.duration_ms,
      environment: parseOrNull(row.environment),
      metrics: JSON.parse(row.metrics),
      error: parseOrNull(row.error),
      artifacts: artifacts.all(row.run_id).map((artifact) => ({
        name: artifact.name,
        title: artifact.title,
        mediaType: artifact.media_type,
        sha256: artifact.sha256,
        sizeBytes: artifact.size_bytes,
        meta: JSON.parse(artifact.meta),
      })),
      jobs: row.jobs,
      resumable: isResumable(row),
    },
  );
}

/** A run that never got as far as 'started' has nothing to lose and may begin anew. */
export function isResumable(row: Pick<RunRow, 'state' | 'has_checkpoint' | 'started_at_ms'>): boolean {
  if (row.state === 'queued') return true;
  const hasStopped = row.state === 'cancelled' || row.state === 'interrupted';
  return hasStopped && (row.has_checkpoint === 1 || row.started_at_ms === null);
}

export function parseOrNull(json: string | null): unknown {
  return json === null ? null : JSON.parse(json);
}
