import { existsSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { z } from 'zod';
import { WorkbenchError } from '../base/errors.ts';
import type { ImportedRun, Origin } from '../contract/bundle.ts';
import type { JobRecord } from '../contract/job.ts';
import type { RunPage, RunQuery, RunRow, Series } from '../contract/history.ts';
import type { LiveTable } from '../contract/live-table.ts';
import { artifactFile, checkpointFolder } from '../contract/layout.ts';
import type { Artifact, MetricPoint, RunEvent, RunRecord, RunRequest, RunState } from '../contract/run.ts';
import { moveToTrash, purgeRuns, takeFromTrash, trashedBefore, writeAnnotation, type Annotation } from './annotate.ts';
import { artifactPieces, wholeArtifact } from './artifact-files.ts';
import { guarded, type Connection } from './connection.ts';
import { databasePath, emptyDatabase, makeFolder, openReading, openWriting } from './database.ts';
import { nextSeq, readEvents, readLastEvent, readTables, writeEvent, type CanMove, type EventRange } from './events.ts';
import { readOrigin, writeImport, type ForeignRun } from './import-run.ts';
import { insertJob, isOrphaned, lastWord, listJobs, openJobs, processOf, writeJobProcess } from './jobs.ts';
import { acquireWriterLock } from './lock.ts';
import { checkVersion, migrations, schemaVersion } from './migrate.ts';
import { endProcess, isAlive } from './processes.ts';
import { listTags, queryRuns, readRow, runIdsIn } from './query.ts';
import { newRunId, resolveRunId } from './run-ids.ts';
import { listRuns, readRun, type RunFilter } from './runs.ts';
import { readSeries, readThinned, type SeriesRange } from './series.ts';

export interface WorkspaceOptions {
  /** Wall clock, milliseconds since 1970. */
  readonly now: () => number;
  /** Uniform in [0, 1); only makes run ids unique. */
  readonly random: () => number;
  /** The table of states, core/jobs/states.ts. */
  readonly canMove: CanMove;
  /** How long to wait for another writer. */
  readonly waitMs?: number;
}

/** What list, show and export need. Works beside a writer. Runs are named by id, by its beginning or its last part. */
export interface WorkspaceReader {
  /** Absolute path of the folder. */
  readonly dir: string;
  getRun(run: string): RunRecord;
  /** Newest first. */
  listRuns(filter?: RunFilter): RunRecord[];
  jobs(run: string): JobRecord[];
  events(run: string, range?: EventRange): RunEvent[];
  /** The newest event of a job, or the newest of one type. */
  lastEvent<T extends RunEvent['type']>(jobId: string, type?: T): Extract<RunEvent, { type: T }> | undefined;
  /** Tables of curves that the run has announced. */
  tables(run: string): LiveTable[];
  /** metric → points by step. */
  series(run: string): Record<string, MetricPoint[]>;
  /** metric → points, at most so many of each. */
  thinnedSeries(run: string, range: SeriesRange): Record<string, Series>;
  /** One page of the table of runs. */
  queryRuns(query: z.output<typeof RunQuery>): RunPage;
  getRow(run: string): RunRow;
  /** Ids of runs outside the trash, oldest first. */
  runIdsIn(state: RunState): string[];
  tags(): { tag: string; count: number }[];
  /** Whose bundle a run came in by; null for one that was made here. */
  originOf(run: string): Origin | null;
  artifactPath(sha256: string): string;
  /** The content of an artifact, checked against its hash. */
  readArtifact(artifact: Artifact): Uint8Array;
  /** The same a mebibyte at a time; checked at its end. */
  artifactPieces(artifact: Artifact): Iterable<Uint8Array>;
  close(): void;
}

/** The one writer of a workspace. */
export interface Workspace extends WorkspaceReader {
  /** Adds a queued run and gives its id. */
  createRun(request: RunRequest): string;
  /** Adds an attempt at a run and gives its id. */
  createJob(runId: string): string;
  setJobProcess(jobId: string, pid: number): void;
  nextSeq(jobId: string): number;
  /** Stores one event, idempotently. `isDurable`: it, and all before it, would survive a power cut. */
  appendEvent(event: RunEvent): { readonly isDurable: boolean };
  /**
   * Marks the runs as interrupted whose job (any, or one of these) has not ended although its process has, and gives the
   * events that say so. Not for a job that this process has just started.
   */
  interruptOrphans(jobIds?: readonly string[]): RunEvent[];
  /** The jobs that have not ended and whose process lives. `kill` ends it, where it is known for sure. */
  livingJobs(): { readonly jobId: string; kill(): void }[];
  annotate(runIds: readonly string[], annotation: Annotation): void;
  /**
   * Adds runs made elsewhere, or what is new of them: all or none; idempotent. Reads one after the other.
   * @throws RUN_STATE when another run has the id of one
   */
  importRuns(runs: Iterable<ForeignRun>, origin: Origin): ImportedRun[];
  /** @throws RUN_STATE for a running run; then none is moved. */
  trash(runIds: readonly string[]): void;
  restore(runIds: readonly string[]): void;
  /**
   * Forgets runs in the trash for good, with the files that no other run has, that are not `held`, and that no job has
   * made or met since it began. @throws RUN_STATE for one that is not in the trash.
   */
  purge(runIds: readonly string[], held: ReadonlySet<string>): void;
  /** Runs that have been in the trash for longer than `days`. */
  trashedFor(days: number): string[];
}

/**
 * Opens a workspace for writing, creates it when absent, and marks runs whose process is gone as interrupted.
 * @throws WORKSPACE_UNUSABLE, WORKSPACE_BUSY
 */
export function openWorkspace(path: string, options: WorkspaceOptions): Workspace {
  const dir = resolve(path);
  return guarded(dir, () => {
    makeFolder(dir);
    const lock = acquireWriterLock(dir, options.waitMs ?? 2000);
    try {
      const db = openWriting(dir);
      interruptOrphans(db, options.canMove);
      return { ...reader(dir, db, () => lock.release()), ...writer(dir, db, options) };
    } catch (thrown) {
      lock.release();
      throw thrown;
    }
  });
}

/** Opens a workspace for reading; one that does not exist yet is empty, and is not created. */
export function readWorkspace(path: string, options: WorkspaceOptions): WorkspaceReader {
  const dir = resolve(path);
  return guarded(dir, () => {
    if (!existsSync(databasePath(dir))) return reader(dir, emptyDatabase());
    const db = openReading(dir);
    const version = schemaVersion(db);
    checkVersion(version, migrations.length, databasePath(dir));
    if (version === migrations.length && !openJobs(db).some(isOrphaned)) return reader(dir, db);
    db.close();
    bringUpToDate(dir, options, version < migrations.length);
    return reader(dir, openReading(dir));
  });
}

/** Opening for writing migrates and interrupts orphans. A busy writer has done both itself, or is about to. */
function bringUpToDate(dir: string, options: WorkspaceOptions, isNeeded: boolean): void {
  try {
    openWorkspace(dir, { ...options, waitMs: isNeeded ? (options.waitMs ?? 2000) : 0 }).close();
  } catch (thrown) {
    if (isNeeded || !(thrown instanceof WorkbenchError)) throw thrown;
  }
}

function interruptOrphans(db: Connection, canMove: CanMove, jobIds?: readonly string[]): RunEvent[] {
  const orphans = openJobs(db).filter((job) => jobIds?.includes(job.job_id) !== false && isOrphaned(job));
  return orphans.map((job) => {
    const event = lastWord(job, nextSeq(db, job.job_id));
    db.transaction(() => writeEvent(db, event, canMove)).immediate();
    return event;
  });
}

function livingJobs(db: Connection): { readonly jobId: string; kill(): void }[] {
  return openJobs(db).flatMap((job) => {
    const identity = processOf(job);
    return identity && isAlive(identity) ? [{ jobId: job.job_id, kill: () => endProcess(identity) }] : [];
  });
}

function reader(dir: string, db: Connection, onClose: () => void = () => {}): WorkspaceReader {
  const read = <T>(action: () => T): T => guarded(dir, action);
  return {
    dir,
    getRun: (run) => read(() => readRun(db, resolveRunId(db, run))),
    listRuns: (filter = {}) => read(() => listRuns(db, filter)),
    jobs: (run) => read(() => listJobs(db, resolveRunId(db, run))),
    events: (run, range = {}) => read(() => readEvents(db, resolveRunId(db, run), range)),
    lastEvent: (jobId, type) => read(() => readLastEvent(db, jobId, type)),
    tables: (run) => read(() => readTables(db, resolveRunId(db, run))),
    series: (run) => read(() => readSeries(db, resolveRunId(db, run))),
    thinnedSeries: (run, range) => read(() => readThinned(db, resolveRunId(db, run), range)),
    queryRuns: (query) => read(() => queryRuns(db, query)),
    getRow: (run) => read(() => readRow(db, resolveRunId(db, run))),
    runIdsIn: (state) => read(() => runIdsIn(db, state)),
    tags: () => read(() => listTags(db)),
    originOf: (run) => read(() => readOrigin(db, resolveRunId(db, run))),
    artifactPath: (sha256) => join(dir, artifactFile(sha256)),
    readArtifact: (artifact) => wholeArtifact(join(dir, artifactFile(artifact.sha256)), artifact),
    artifactPieces: (artifact) => artifactPieces(join(dir, artifactFile(artifact.sha256)), artifact),
    close() {
      if (!db.open) return;
      db.close();
      onClose();
    },
  };
}

function writer(
  dir: string,
  db: Connection,
  { now, random, canMove }: WorkspaceOptions,
): Omit<Workspace, keyof WorkspaceReader> {
  const write = <T>(isDurable: boolean, action: () => T): T =>
    guarded(dir, () => {
      db.pragma(`synchronous = ${isDurable ? 'FULL' : 'NORMAL'}`);
      return db.transaction(action).immediate();
    });
  const insertRun = db.prepare<[string, string, number, string, number]>(
    `INSERT INTO runs (run_id, state, method_id, method_version, request, created_at_ms)
     VALUES (?, 'queued', ?, ?, ?, ?) ON CONFLICT (run_id) DO NOTHING`,
  );
  return {
    createRun(request) {
      const atMs = Math.round(now());
      const { methodId, methodVersion } = request;
      return write(true, () => {
        for (;;) {
          const runId = newRunId(atMs, random);
          if (insertRun.run(runId, methodId, methodVersion, JSON.stringify(request), atMs).changes === 1) return runId;
        }
      });
    },
    createJob: (runId) => write(true, () => insertJob(db, runId, now())),
    setJobProcess: (jobId, pid) => write(false, () => writeJobProcess(db, jobId, pid)),
    nextSeq: (jobId) => guarded(dir, () => nextSeq(db, jobId)),
    appendEvent(event) {
      const isDurable = !frequent.has(event.type);
      write(isDurable, () => writeEvent(db, event, canMove));
      return { isDurable };
    },
    interruptOrphans: (jobIds) => guarded(dir, () => interruptOrphans(db, canMove, jobIds)),
    livingJobs: () => guarded(dir, () => livingJobs(db)),
    importRuns: (runs, origin) => write(true, () => Array.from(runs, (run) => writeImport(db, run, origin, canMove))),
    annotate: (runIds, annotation) => write(true, () => writeAnnotation(db, runIds, annotation)),
    trash: (runIds) => write(true, () => moveToTrash(db, runIds, now())),
    restore: (runIds) => write(true, () => takeFromTrash(db, runIds)),
    purge(runIds, held) {
      const freed = write(true, () => purgeRuns(db, runIds)).filter((sha256) => !held.has(sha256));
      const sinceMs = Math.min(...openJobs(db).map((job) => job.created_at_ms));
      // After the history has let go of them: a kill in between leaves a file too many, never one too few.
      for (const sha256 of freed) removeUntouched(join(dir, artifactFile(sha256)), sinceMs);
      for (const runId of runIds) rmSync(dirname(join(dir, checkpointFolder(runId))), { recursive: true, force: true });
    },
    trashedFor: (days) => guarded(dir, () => trashedBefore(db, now() - days * 24 * 60 * 60_000)),
  };
}

/** What a job has just met has not come into the history yet. */
function removeUntouched(path: string, sinceMs: number): void {
  const mtimeMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (mtimeMs !== undefined && mtimeMs < sinceMs) rmSync(path, { force: true });
}

/** Many a second: they wait for the next rarer event to reach the disk, which a power cut can undo and a kill cannot. */
const frequent: ReadonlySet<RunEvent['type']> = new Set(['progress', 'metrics', 'log']);
