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
  /** In order of job, then number. */
  readonly events: readonly RunEvent[];
  readonly note: string;
  readonly tags: readonly string[];
  readonly groupId: string | null;
}

/**
 * Adds a run with its history by telling its events once more. One that is here already gets what is new of it; its
 * notes stay its own. @throws RUN_STATE when another run has its id, or when it waits or runs here
 */
export function writeImport(db: Connection, run: ForeignRun, origin: Origin, canMove: CanMove): ImportedRun['outcome'] {
  const { runId, request, createdAtMs } = run;
  const before = db
    .prepare<[string], { request: string; state: RunState }>('SELECT request, state FROM runs WHERE run_id = ?')
    .get(runId);
  if (!before) {
    db.prepare<[string, string, number, string, number]>(
      `INSERT INTO runs (run_id, state, method_id, method_version, request, created_at_ms)
       VALUES (?, 'queued', ?, ?, ?, ?)`,
    ).run(runId, request.methodId, request.methodVersion, JSON.stringify(request), createdAtMs);
    const { note, tags, groupId } = run;
    writeAnnotation(db, [runId], { note, addTags: tags, ...(groupId === null ? {} : { groupId }) });
    addEvents(db, run, [], canMove);
    db.prepare<[string, string, number]>(
      'INSERT INTO imports (run_id, signing_key, imported_at_ms) VALUES (?, ?, ?)',
    ).run(runId, origin.key, Math.round(origin.atMs));
    return 'added';
  }
  const known = readEvents(db, runId, {});
  checkSame(run, JSON.parse(before.request), known);
  if (run.events.length <= known.length) return 'known';
  if (before.state === 'queued' || before.state === 'running') {
    throw new WorkbenchError('RUN_STATE', `Run ${runId} is ${before.state} here and has gone on elsewhere`, {
      hint: 'Cancel it here, then import it again.',
    });
  }
  addEvents(db, run, known, canMove);
  return 'extended';
}

/** One of the two histories is the beginning of the other. */
function checkSame({ runId, request, events }: ForeignRun, storedRequest: unknown, known: readonly RunEvent[]): void {
  const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
  const common = Math.min(events.length, known.length);
  const isSame =
    isDeepStrictEqual(plain(request), storedRequest) &&
    isDeepStrictEqual(plain(events.slice(0, common)), plain(known.slice(0, common)));
  if (isSame) return;
  throw new WorkbenchError('RUN_STATE', `Another run has the id ${runId} in this workspace`, {
    hint: 'Import the bundle into another workspace.',
  });
}

function addEvents(db: Connection, run: ForeignRun, known: readonly RunEvent[], canMove: CanMove): void {
  const addJob = db.prepare<[string, string, number, number]>(
    `INSERT INTO jobs (job_id, run_id, ordinal, state, created_at_ms) VALUES (?, ?, ?, 'queued', ?)
     ON CONFLICT (job_id) DO NOTHING`,
  );
  for (const { jobId, ordinal, createdAtMs } of run.jobs) addJob.run(jobId, run.runId, ordinal, createdAtMs);
  for (const event of run.events.slice(known.length)) writeEvent(db, event, canMove);
  // Checkpoints stay where they were made: nothing here can go on with it.
  db.prepare<[string]>('UPDATE runs SET has_checkpoint = 0 WHERE run_id = ?').run(run.runId);
  // Otherwise it would look as if it waited, or was being worked on, here.
  const stray = db
    .prepare<[string, string], string>(
      `SELECT state FROM runs WHERE run_id = ? AND state IN ('queued', 'running')
       UNION SELECT 'running' FROM jobs WHERE run_id = ? AND finished_at_ms IS NULL`,
    )
    .pluck()
    .get(run.runId, run.runId);
  if (stray === undefined) return;
  throw new WorkbenchError('BUNDLE_UNREADABLE', `Run ${run.runId} of the bundle has no end`, {
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
