import { WorkbenchError, invariant } from '../base/errors.ts';
import { JobRecord } from '../contract/job.ts';
import type { RunEvent, RunState } from '../contract/run.ts';
import type { Connection } from './connection.ts';
import { identify, isAlive, type ProcessIdentity } from './processes.ts';
import { parseOrNull } from './runs.ts';

export interface JobRow {
  readonly job_id: string;
  readonly run_id: string;
  readonly ordinal: number;
  readonly state: RunState;
  readonly pid: number | null;
  readonly host: string | null;
  readonly process_start: string | null;
  readonly created_at_ms: number;
  readonly started_at_ms: number | null;
  readonly last_event_at_ms: number | null;
  readonly finished_at_ms: number | null;
  readonly resumed_from_step: number | null;
  readonly environment: string | null;
  readonly error: string | null;
  readonly peak_memory_bytes: number | null;
}

/** A further attempt at a run; its id is the run's id with the attempt's number. RUN_STATE while another one is open. */
export function insertJob(db: Connection, runId: string, atMs: number): string {
  const jobs = db.prepare<[string], JobRow>('SELECT * FROM jobs WHERE run_id = ? ORDER BY ordinal').all(runId);
  const open = jobs.find((job) => job.finished_at_ms === null);
  if (open) {
    throw new WorkbenchError('RUN_STATE', `Run ${runId} is being worked on by process ${open.pid ?? 'unknown'}`, {
      hint: 'Wait until it has ended.',
    });
  }
  const ordinal = jobs.length + 1;
  const jobId = `${runId}.${ordinal}`;
  db.prepare<[string, string, number, number]>(
    `INSERT INTO jobs (job_id, run_id, ordinal, state, created_at_ms) VALUES (?, ?, ?, 'queued', ?)`,
  ).run(jobId, runId, ordinal, Math.round(atMs));
  return jobId;
}

export function writeJobProcess(db: Connection, jobId: string, pid: number): void {
  const { host, start } = identify(pid);
  db.prepare<[number, string, string | null, string]>(
    'UPDATE jobs SET pid = ?, host = ?, process_start = ? WHERE job_id = ?',
  ).run(pid, host, start, jobId);
}

export function readJob(db: Connection, jobId: string): JobRow {
  const job = db.prepare<[string], JobRow>('SELECT * FROM jobs WHERE job_id = ?').get(jobId);
  invariant(job, `no job ${jobId} in the history`);
  return job;
}

export function listJobs(db: Connection, runId: string): JobRecord[] {
  const rows = db.prepare<[string], JobRow>('SELECT * FROM jobs WHERE run_id = ? ORDER BY ordinal').all(runId);
  return rows.map((row) =>
    JobRecord.parse({
      jobId: row.job_id,
      runId: row.run_id,
      ordinal: row.ordinal,
      state: row.state,
      pid: row.pid,
      createdAtMs: row.created_at_ms,
      startedAtMs: row.started_at_ms,
      finishedAtMs: row.finished_at_ms,
      resumedFromStep: row.resumed_from_step,
      environment: parseOrNull(row.environment),
      error: parseOrNull(row.error),
      peakMemoryBytes: row.peak_memory_bytes,
    }),
  );
}

/** Jobs that have not ended. */
export function openJobs(db: Connection): JobRow[] {
  return db.prepare<[], JobRow>('SELECT * FROM jobs WHERE finished_at_ms IS NULL').all();
}

/** The process of a job; undefined while it is not known. */
export const processOf = ({ pid, host, process_start: start }: JobRow): ProcessIdentity | undefined =>
  pid === null || host === null ? undefined : { pid, host, start };

/** Of a job that has not ended: has its process? Then its parent went down with or before it. */
export function isOrphaned(job: JobRow): boolean {
  const identity = processOf(job);
  return identity === undefined || !isAlive(identity);
}

/** The event that the parent of `job` could not write any more, at its last sign of life. */
export function lastWord(job: JobRow, seq: number): RunEvent {
  return {
    type: 'finished',
    runId: job.run_id,
    jobId: job.job_id,
    seq,
    atMs: job.last_event_at_ms ?? job.created_at_ms,
    state: 'interrupted',
    error: {
      code: 'JOB_CRASHED',
      message: `The workbench ended while run ${job.run_id} was being worked on`,
      hint: `Go on with \`palimpsest resume ${job.run_id}\`.`,
    },
  };
}
