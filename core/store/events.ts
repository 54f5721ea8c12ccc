import { isDeepStrictEqual } from 'node:util';
import { WorkbenchError, invariant } from '../base/errors.ts';
import { withTable, type LiveTable } from '../contract/live-table.ts';
import { RunEvent, type Artifact, type RunState } from '../contract/run.ts';
import type { Connection } from './connection.ts';
import { readJob, type JobRow } from './jobs.ts';
import { writePoints } from './series.ts';

export type CanMove = (from: RunState, to: RunState) => boolean;

/** Number of the next event of a job. */
export function nextSeq(db: Connection, jobId: string): number {
  const last = db.prepare<[string], number | null>('SELECT MAX(seq) FROM events WHERE job_id = ?').pluck().get(jobId);
  return (last ?? -1) + 1;
}

/**
 * Stores an event and what follows from it, as one transaction of the caller. The same event again changes nothing. Of a
 * job that has finished only the last progress of each phase stays; a history that is told once more may lack the others.
 * @throws INTERNAL for a gap, for another event under the same number and for an event after 'finished'.
 */
export function writeEvent(db: Connection, event: RunEvent, canMove: CanMove, mayLack = false): void {
  const job = readJob(db, event.jobId);
  invariant(job.run_id === event.runId, `job ${event.jobId} does not belong to run ${event.runId}`);
  const expected = nextSeq(db, event.jobId);
  if (event.seq < expected) {
    const stored = db
      .prepare<[string, number], string>('SELECT body FROM events WHERE job_id = ? AND seq = ?')
      .pluck()
      .get(event.jobId, event.seq);
    const isSame =
      stored === undefined
        ? event.type === 'progress'
        : isDeepStrictEqual(JSON.parse(stored), JSON.parse(JSON.stringify(event)));
    invariant(isSame, `job ${event.jobId} sent two events ${event.seq}`);
    return;
  }
  invariant(event.seq === expected || mayLack, `job ${event.jobId}: expected event ${expected}, got ${event.seq}`);
  invariant(job.finished_at_ms === null, `job ${event.jobId} sent event ${event.seq} after it had finished`);
  db.prepare<[string, number, string, string]>('INSERT INTO events (job_id, seq, type, body) VALUES (?, ?, ?, ?)').run(
    event.jobId,
    event.seq,
    event.type,
    JSON.stringify(event),
  );
  db.prepare<[number, string]>('UPDATE jobs SET last_event_at_ms = ? WHERE job_id = ?').run(
    Math.round(event.atMs),
    event.jobId,
  );
  fold(db, event, job, canMove);
}

export interface EventRange {
  /** Of all jobs of the run when absent. */
  readonly jobId?: string | undefined;
  /** Number of the first event. */
  readonly from?: number | undefined;
  readonly types?: readonly RunEvent['type'][] | undefined;
  /** At most so many, the oldest; all when absent. */
  readonly limit?: number | undefined;
}

/** What a reloaded view asks for: the events of a job from `from` on, or of all jobs of a run. */
export function readEvents(db: Connection, runId: string, range: EventRange): RunEvent[] {
  const bodies = db
    .prepare<{ runId: string; jobId: string | null; from: number; types: string | null; limit: number }, string>(
      `SELECT e.body FROM events e JOIN jobs j USING (job_id)
       WHERE j.run_id = @runId AND (@jobId IS NULL OR e.job_id = @jobId) AND e.seq >= @from
         AND (@types IS NULL OR e.type IN (SELECT value FROM json_each(@types)))
       ORDER BY j.ordinal, e.seq LIMIT @limit`,
    )
    .pluck()
    .all({
      runId,
      jobId: range.jobId ?? null,
      from: range.from ?? 0,
      types: range.types ? JSON.stringify(range.types) : null,
      limit: range.limit ?? -1,
    });
  return bodies.map(parseEvent);
}

/** Tables that the run's jobs have announced, the newest of each name. */
export function readTables(db: Connection, runId: string): LiveTable[] {
  return readEvents(db, runId, { types: ['table'] }).reduce<LiveTable[]>(
    (tables, event) => (event.type === 'table' ? withTable(tables, event.table) : tables),
    [],
  );
}

/** The newest event of a job, or the newest of one type. */
export function readLastEvent<T extends RunEvent['type']>(
  db: Connection,
  jobId: string,
  type?: T,
): Extract<RunEvent, { type: T }> | undefined {
  const body = db
    .prepare<{ jobId: string; type: string | null }, string>(
      `SELECT body FROM events WHERE job_id = @jobId AND (@type IS NULL OR type = @type) ORDER BY seq DESC LIMIT 1`,
    )
    .pluck()
    .get({ jobId, type: type ?? null });
  const event = body === undefined ? undefined : parseEvent(body);
  return event && isOfType(event, type) ? event : undefined;
}

const isOfType = <T extends RunEvent['type']>(
  event: RunEvent,
  type: T | undefined,
): event is Extract<RunEvent, { type: T }> => type === undefined || event.type === type;

const parseEvent = (body: string): RunEvent => RunEvent.parse(JSON.parse(body));

function fold(db: Connection, event: RunEvent, job: JobRow, canMove: CanMove): void {
  switch (event.type) {
    case 'started':
      return foldStarted(db, event, canMove);
    case 'metrics':
      return writePoints(db, event.runId, event.points);
    case 'artifact':
      return writeArtifact(db, event.runId, event.artifact);
    case 'finished':
      return foldFinished(db, event, job, canMove);
    case 'checkpoint':
      return dropProgress(db, event.jobId, lastCheckpoint(db, event));
    case 'progress':
    case 'log':
    case 'table':
      return;
  }
}

function move(db: Connection, runId: string, to: RunState, canMove: CanMove): void {
  const from = stateOf(db, runId);
  if (!canMove(from, to)) {
    throw new WorkbenchError('RUN_STATE', `Run ${runId} is ${from} and cannot become ${to}`);
  }
  db.prepare<[string, string]>('UPDATE runs SET state = ? WHERE run_id = ?').run(to, runId);
}

function stateOf(db: Connection, runId: string): RunState {
  const state = db.prepare<[string], RunState>('SELECT state FROM runs WHERE run_id = ?').pluck().get(runId);
  invariant(state, `no run ${runId} in the history`);
  return state;
}

/** A job writes a checkpoint, of nothing at first, before it says that it has started. */
function foldStarted(db: Connection, event: Extract<RunEvent, { type: 'started' }>, canMove: CanMove): void {
  move(db, event.runId, 'running', canMove);
  const atMs = Math.round(event.atMs);
  db.prepare<[number, string]>(
    `UPDATE runs SET started_at_ms = COALESCE(started_at_ms, ?), has_checkpoint = 1, finished_at_ms = NULL, error = NULL, is_paused = 0
     WHERE run_id = ?`,
  ).run(atMs, event.runId);
  db.prepare<[number, string, number | null, string]>(
    `UPDATE jobs SET state = 'running', started_at_ms = ?, environment = ?, resumed_from_step = ? WHERE job_id = ?`,
  ).run(atMs, JSON.stringify(event.environment), event.resumedFromStep ?? null, event.jobId);
  const insert = db.prepare<[string, string, string, string]>(
    `INSERT INTO inputs (run_id, kind, role, sha256) VALUES (?, ?, ?, ?)
     ON CONFLICT (run_id, kind, role) DO UPDATE SET sha256 = excluded.sha256`,
  );
  for (const [role, hash] of Object.entries(event.environment.models)) insert.run(event.runId, 'model', role, hash);
  for (const [role, hash] of Object.entries(event.environment.data)) insert.run(event.runId, 'data', role, hash);
}

/** An attempt to resume that fails before it starts leaves the run as it was: cancelled or interrupted, resumable. */
function foldFinished(
  db: Connection,
  event: Extract<RunEvent, { type: 'finished' }>,
  job: JobRow,
  canMove: CanMove,
): void {
  const atMs = Math.round(event.atMs);
  const error = event.error === undefined ? null : JSON.stringify(event.error);
  const memory = event.peakMemoryBytes === undefined ? null : Math.round(event.peakMemoryBytes);
  db.prepare<[string, number, string | null, number | null, string]>(
    'UPDATE jobs SET state = ?, finished_at_ms = ?, error = ?, peak_memory_bytes = ? WHERE job_id = ?',
  ).run(event.state, atMs, error, memory, event.jobId);
  dropProgress(db, event.jobId, 0);
  const hadStarted = job.started_at_ms !== null;
  if (!hadStarted && stateOf(db, event.runId) !== 'queued') return;
  move(db, event.runId, event.state, canMove);
  db.prepare<[number, string, string | null, string]>(
    'UPDATE runs SET finished_at_ms = ?, metrics = ?, error = ? WHERE run_id = ?',
  ).run(atMs, JSON.stringify(event.metrics ?? {}), error, event.runId);
}

/**
 * Ten a second are said, nearly 300,000 in eight hours, and nobody asks for old ones. From event `from` on; at each
 * checkpoint, too, so that the end of a long run keeps nobody waiting.
 */
function dropProgress(db: Connection, jobId: string, from: number): void {
  db.prepare<{ jobId: string; from: number }>(
    `DELETE FROM events WHERE job_id = @jobId AND seq >= @from AND type = 'progress' AND seq NOT IN
       (SELECT MAX(seq) FROM events WHERE job_id = @jobId AND seq >= @from AND type = 'progress'
        GROUP BY json_extract(body, '$.phase'))`,
  ).run({ jobId, from });
}

/** Number of the checkpoint before this one; 0 when it is the first. */
function lastCheckpoint(db: Connection, { jobId, seq }: RunEvent): number {
  const last = db
    .prepare<[string, number], number>(
      `SELECT seq FROM events WHERE job_id = ? AND seq < ? AND type = 'checkpoint' ORDER BY seq DESC LIMIT 1`,
    )
    .pluck()
    .get(jobId, seq);
  return last ?? 0;
}

/** The same name again replaces the content and keeps the place in the list. */
function writeArtifact(db: Connection, runId: string, artifact: Artifact): void {
  db.prepare<[string, string, string, string, string, string, number, string]>(
    `INSERT INTO artifacts (run_id, name, ordinal, title, media_type, sha256, size_bytes, meta)
     VALUES (?, ?, (SELECT COUNT(*) FROM artifacts WHERE run_id = ?), ?, ?, ?, ?, ?)
     ON CONFLICT (run_id, name) DO UPDATE SET title = excluded.title, media_type = excluded.media_type,
       sha256 = excluded.sha256, size_bytes = excluded.size_bytes, meta = excluded.meta`,
  ).run(
    runId,
    artifact.name,
    runId,
    artifact.title,
    artifact.mediaType,
    artifact.sha256,
    artifact.sizeBytes,
    JSON.stringify(artifact.meta),
  );
}
