import { z } from 'zod';
import { Environment, ErrorData, RunRequest, RunState } from './run.ts';

/** What crosses between a job process and its parent beside events, and what the history knows about a job. */

/** UTC date and time of creation and a random tail; sorts by age and is safe as a folder name. */
const RunId = z.string().regex(/^\d{8}-\d{6}-[0-9a-z]{4}$/, 'expected YYYYMMDD-HHMMSS-xxxx');

const StartCommand = z.strictObject({
  type: z.literal('start'),
  runId: RunId,
  jobId: z.string().min(1),
  /** Absolute path of the workspace's folder. */
  workspaceDir: z.string().min(1),
  request: RunRequest,
  /** Go on from the run's checkpoint instead of starting at step 0. */
  resume: z.boolean(),
});
export type StartCommand = z.infer<typeof StartCommand>;

/** Messages to the job process. Events (run.ts) are the answers. */
export const JobCommand = z.discriminatedUnion('type', [
  StartCommand,
  z.strictObject({ type: z.literal('cancel') }),
  /** Every event up to `seq` has reached the disk of the parent. */
  z.strictObject({ type: z.literal('stored'), seq: z.int().min(0) }),
]);
export type JobCommand = z.infer<typeof JobCommand>;

/** One attempt at a run. */
export const JobRecord = z.object({
  jobId: z.string(),
  runId: z.string(),
  /** 1 for the first job of a run. */
  ordinal: z.int().positive(),
  state: RunState,
  pid: z.int().nullable(),
  createdAtMs: z.number(),
  startedAtMs: z.number().nullable(),
  finishedAtMs: z.number().nullable(),
  resumedFromStep: z.int().nullable(),
  environment: Environment.nullable(),
  error: ErrorData.nullable(),
  peakMemoryBytes: z.number().nullable(),
});
export type JobRecord = z.infer<typeof JobRecord>;
