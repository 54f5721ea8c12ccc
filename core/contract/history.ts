import { z } from 'zod';
import { Origin } from './bundle.ts';
import { LiveTable } from './live-table.ts';
import { ErrorData, MetricPoint, ResultMetrics, RunEvent, RunRecord, RunState } from './run.ts';

/** What the pages about runs ask of the history. */

/** A row of the table of runs. */
export const RunRow = z.object({
  runId: z.string(),
  state: RunState,
  methodId: z.string(),
  recipe: z.string().nullable(),
  params: z.record(z.string(), z.unknown()),
  /** role → file name or architecture. */
  models: z.record(z.string(), z.string()),
  data: z.record(z.string(), z.string()),
  /** role of data → how many items are used, where that is said. */
  limits: z.record(z.string(), z.number()),
  /** role of a model → its open sizes, "height=32, width=32", where they are said. */
  dims: z.record(z.string(), z.string()),
  createdAtMs: z.number(),
  startedAtMs: z.number().nullable(),
  finishedAtMs: z.number().nullable(),
  durationMs: z.number(),
  metrics: ResultMetrics,
  error: ErrorData.nullable(),
  resumable: z.boolean(),
  /** Stopped to go on later. */
  isPaused: z.boolean(),
  tags: z.array(z.string()),
  note: z.string(),
  /** Runs started together (a sweep) share it. */
  groupId: z.string().nullable(),
  /** In the trash since; null when it is not. */
  deletedAtMs: z.number().nullable(),
});
export type RunRow = z.infer<typeof RunRow>;

export const RunQuery = z.strictObject({
  states: z.array(RunState).optional(),
  methodIds: z.array(z.string()).optional(),
  tags: z.array(z.string()).optional(),
  groupId: z.string().optional(),
  /** Looked for in id, method, note, tags, models and data; case does not matter. */
  text: z.string().max(200).optional(),
  createdFromMs: z.number().optional(),
  createdToMs: z.number().optional(),
  /** true: only the trash; false or absent: everything else. */
  isTrash: z.boolean().optional(),
  /** A column, or `metrics.NAME`, or `params.NAME`. Newest first when absent; missing values come last. */
  sort: z
    .strictObject({
      by: z.union([
        z.enum(['createdAtMs', 'finishedAtMs', 'durationMs', 'state', 'methodId', 'runId', 'note']),
        z.string().regex(/^(metrics|params)\.[A-Za-z][A-Za-z0-9]{0,63}$/),
      ]),
      descending: z.boolean(),
    })
    .optional(),
  offset: z.int().min(0).default(0),
  limit: z.int().min(1).max(1000).default(100),
});
export type RunQuery = z.input<typeof RunQuery>;

export const RunPage = z.object({
  rows: z.array(RunRow),
  /** Of all pages. */
  total: z.int(),
});
export type RunPage = z.infer<typeof RunPage>;

/** How far the run has come, from its last progress event. */
export const RunProgress = z.object({
  phase: z.string(),
  step: z.number(),
  totalSteps: z.number(),
  fraction: z.number(),
  remainingMs: z.number().nullable(),
  atMs: z.number(),
});
export type RunProgress = z.infer<typeof RunProgress>;

export const RunDetails = z.object({
  record: RunRecord,
  row: RunRow,
  progress: RunProgress.nullable(),
  /** What fills while it computes; cells are curves. */
  tables: z.array(LiveTable),
  /** Place in the queue, 0 is next; null when it does not wait. */
  queuePosition: z.int().nullable(),
  /** The same run as a command line; null when its method is not known here. */
  command: z.string().nullable(),
  /** Whose bundle it came in by; null when it was made here. */
  origin: Origin.nullable(),
  /** The newest event of the newest job: where to go on with `runs.events`. */
  lastEvent: z.object({ jobId: z.string(), seq: z.int() }).nullable(),
});
export type RunDetails = z.infer<typeof RunDetails>;

/** A curve; of more points than were asked for, each bucket keeps its lowest and highest, first and last stay. */
export const Series = z.object({
  points: z.array(MetricPoint.omit({ name: true })),
  /** Points in the history between the steps asked for. */
  total: z.int(),
});
export type Series = z.infer<typeof Series>;

export const EventPage = z.object({
  events: z.array(RunEvent),
  /** There are more: ask again from the last one on. */
  hasMore: z.boolean(),
});
export type EventPage = z.infer<typeof EventPage>;
