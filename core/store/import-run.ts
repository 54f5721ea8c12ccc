import { isDeepStrictEqual } from 'node:util';
import { WorkbenchError } from '../base/errors.ts';
import type { ImportedRun, Origin } from '../contract/bundle.ts';
import type { RunEvent, RunRequest, RunState } from '../contract/run.ts';
import { writeAnnotation } from './annotate.ts';
import type { Connection } from './connection.ts';
import { readEvents, writeEvent, type CanMove } from './events.ts';

/** A run made elsewhere: what was asked, and everything that its jobs said. */
export interface ForeignRun {
  readonly runId: string;
  readonly request: RunRequest;
  readonly createdAtMs: number;
  readonly jobs: readonly { readonly jobId: string; readonly ordinal: number; readonly createdAtMs: number }[];
  /** In order of job, then number. Read once. */
  readonly events: Iterable<RunEvent>;
  readonly note: string;
  readonly tags: readonly string[];
  readonly groupId: string | null;
}

/**
 * Adds a run with its history by telling its events once more. One that is here already gets what is new of it; its
 * notes stay its own. @throws RUN_STATE when another run has its id, or when it waits or runs here
 */
export function writeImport(db: Connection, run: ForeignRun, origin: Origin, canMove: CanMove): ImportedRun {
  const { runId, request } = run;
  const before = db
    .prepare<[string], Before>('SELECT request, state, deleted_at_ms AS deletedAtMs FROM runs WHERE run_id = ?')
    .get(runId);
  if (before && !isDeepStrictEqual(plain(request), JSON.parse(before.request))) throw anotherRun(runId);
  const known = before ? readEvents(db, runId, {}).filter(isLasting) : [];
  let [count, isPrepared] = [0, false];
  for (const event of run.events) {
    const here = known[count];
    if (here) {
      if (!isLasting(event)) continue;
      if (!isDeepStrictEqual(plain(event), plain(here))) throw anotherRun(runId);
      count += 1;
      continue;
    }
    if (!isPrepared) prepare(db, run, before, origin);
    isPrepared = true;
    writeEvent(db, event, canMove, true);
  }
  const isInTrash = before !== undefined && before.deletedAtMs !== null;
  if (before && !isPrepared) return { runId, outcome: 'known', isInTrash };
  checkEnd(db, runId);
  return { runId, outcome: before ? 'extended' : 'added', isInTrash };
}

/** Progress is dropped when a job has finished, here or where the bundle was made. */
const isLasting = ({ type }: RunEvent): boolean => type !== 'progress';

interface Before {
  readonly request: string;
  readonly state: RunState;
  readonly deletedAtMs: number | null;
}

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** One of the two histories has to be the beginning of the other. */
const anotherRun = (runId: string): WorkbenchError =>
  new WorkbenchError('RUN_STATE', `Another run has the id ${runId} in this workspace`, {
    hint: 'Import the bundle into another workspace.',
  });

/** Before the first event that is new. */
function prepare(db: Connection, run: ForeignRun, before: Before | undefined, origin: Origin): void {
  const { runId, request, createdAtMs, note, tags, groupId } = run;
  if (before?.state === 'queued' || before?.state === 'running') {
    throw new WorkbenchError('RUN_STATE', `Run ${runId} is ${before.state} here and has gone on elsewhere`, {
      hint: 'Cancel it here, then import it again.',
    });
  }
  if (!before) {
    db.prepare<[string, string, number, string, number]>(
      `INSERT INTO runs (run_id, state, method_id, method_version, request, created_at_ms)
       VALUES (?, 'queued', ?, ?, ?, ?)`,
    ).run(runId, request.methodId, request.methodVersion, JSON.stringify(request), createdAtMs);
    writeAnnotation(db, [runId], { note, addTags: tags, ...(groupId === null ? {} : { groupId }) });
    db.prepare<[string, string, number]>(
      'INSERT INTO imports (run_id, signing_key, imported_at_ms) VALUES (?, ?, ?)',
    ).run(runId, origin.key, Math.round(origin.atMs));
  }
  const addJob = db.prepare<[string, string, number, number]>(
    `INSERT INTO jobs (job_id, run_id, ordinal, state, created_at_ms) VALUES (?, ?, ?, 'queued', ?)
     ON CONFLICT (job_id) DO NOTHING`,
  );
  for (const job of run.jobs) addJob.run(job.jobId, runId, job.ordinal, job.createdAtMs);
}

function checkEnd(db: Connection, runId: string): void {
  // Checkpoints stay where they were made: nothing here can go on with it.
  const { changes } = db.prepare<[string]>('UPDATE runs SET has_checkpoint = 0 WHERE run_id = ?').run(runId);
  // Otherwise it would look as if it waited, or was being worked on, here.
  const stray = db
    .prepare<[string, string], string>(
      `SELECT state FROM runs WHERE run_id = ? AND state IN ('queued', 'running')
       UNION SELECT 'running' FROM jobs WHERE run_id = ? AND finished_at_ms IS NULL`,
    )
    .pluck()
    .get(runId, runId);
  if (changes === 1 && stray === undefined) return;
  throw new WorkbenchError('BUNDLE_UNREADABLE', `Run ${runId} of the bundle has no end`, {
    hint: 'Export it again where it was made, when it has ended.',
  });
}

export function readOrigin(db: Connection, runId: string): Origin | null {
  const row = db
    .prepare<[string], { key: string; atMs: number }>(
      'SELECT signing_key AS key, imported_at_ms AS atMs FROM imports WHERE run_id = ?',
    )
    .get(runId);
  return row ?? null;
}
