import { z } from 'zod';
import { errorCodes } from '../base/errors.ts';
import { LiveTable } from './live-table.ts';

/** Everything that crosses a process about one run: what was asked, what happened, what came out. */

export const deviceNames = ['auto', 'cpu', 'cuda', 'webgpu'] as const;
export const DeviceName = z.enum(deviceNames);
export type DeviceName = z.infer<typeof DeviceName>;

/** What a model expects of pixels in [0, 1]: (pixel − mean) / std, one number a channel or one for all. */
export const Normalisation = z.strictObject({
  mean: z.array(z.number()).min(1),
  std: z.array(z.number().positive()).min(1),
});
export type Normalisation = z.infer<typeof Normalisation>;

export const ClassNames = z.array(z.string().min(1).max(200)).min(1).max(100_000);

/** A model by file, or one of the zoo's architectures by name, initialised from the run's seed. */
export const ModelRef = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('file'),
    path: z.string().min(1),
    sha256: z.string().optional(),
    /** When absent: what the file's metadata say (key palimpsest.normalisation), else pixels go in as they are. */
    normalisation: Normalisation.optional(),
    /** Sizes of symbolic dimensions other than the batch, by their name in the file or as INPUT.AXIS. */
    dims: z.record(z.string(), z.int().positive()).optional(),
    /** What its classes are called, by number; those of the data when absent. */
    classNames: ClassNames.optional(),
    /** Where the names were found when nobody gave them: a command leaves them out, for they are found again. */
    classNamesFrom: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('zoo'), architecture: z.string().min(1) }),
]);
export type ModelRef = z.infer<typeof ModelRef>;

export const dataFormats = ['auto', 'idx', 'image-folder', 'npz', 'npy', 'cifar', 'csv'] as const;
export const splits = ['train', 'test', 'all'] as const;
export const DataRef = z.strictObject({
  path: z.string().min(1),
  format: z.enum(dataFormats).default('auto'),
  split: z.enum(splits).default('all'),
  /** Use only the first so many items of a seeded permutation; all when absent. */
  limit: z.int().positive().optional(),
});
export type DataRef = z.infer<typeof DataRef>;

/** What was asked for. Immutable once stored. */
export const RunRequest = z.strictObject({
  methodId: z.string().min(1),
  methodVersion: z.int().positive(),
  recipe: z.string().optional(),
  params: z.record(z.string(), z.unknown()),
  models: z.record(z.string(), ModelRef),
  data: z.record(z.string(), DataRef),
  device: DeviceName.default('auto'),
  /** Threads inside one operator; part of the request because bits depend on it. */
  threads: z.int().min(1).max(256),
});
export type RunRequest = z.infer<typeof RunRequest>;

export const runStates = ['queued', 'running', 'succeeded', 'failed', 'cancelled', 'interrupted'] as const;
export const RunState = z.enum(runStates);
export type RunState = z.infer<typeof RunState>;

export const ErrorData = z.object({
  code: z.enum(errorCodes),
  message: z.string(),
  hint: z.string().optional(),
  details: z.unknown().optional(),
});

/** Where and with what a job ran. */
export const Environment = z.object({
  palimpsest: z.string(),
  node: z.string(),
  onnxruntime: z.string(),
  platform: z.string(),
  cpu: z.string(),
  cores: z.int(),
  deviceAsked: DeviceName,
  deviceUsed: z.enum(['cpu', 'cuda', 'webgpu']),
  threads: z.int(),
  /** role → SHA-256 of the model file (or of the zoo's exported initial file). */
  models: z.record(z.string(), z.string()),
  /** role → file beside the model that holds some of its weights → SHA-256; absent where every model is one file. */
  weights: z.record(z.string(), z.record(z.string(), z.string())).optional(),
  /** role → SHA-256 over the data files used. */
  data: z.record(z.string(), z.string()),
});
export type Environment = z.infer<typeof Environment>;

/** A stored file, addressed by content. `name` is unique within its run; emitting a name again replaces it. */
export const Artifact = z.object({
  name: z.string().min(1),
  title: z.string(),
  mediaType: z.string(),
  sha256: z.string().length(64),
  sizeBytes: z.int(),
  /** Small JSON facts for viewers: dims, dtype, class names, labels per image, columns of a grid. */
  meta: z.record(z.string(), z.unknown()).default({}),
});
export type Artifact = z.infer<typeof Artifact>;

export const MetricPoint = z.object({ name: z.string(), step: z.int(), value: z.number() });
export type MetricPoint = z.infer<typeof MetricPoint>;

/** One scalar of the final result. null: could not be computed; the reason is in the log. */
export const ResultMetrics = z.record(z.string(), z.number().nullable());
export type ResultMetrics = z.infer<typeof ResultMetrics>;

const envelope = { runId: z.string(), jobId: z.string(), seq: z.int().min(0), atMs: z.number() };

/** Events of a job. `seq` starts at 0 and has no gaps within a job; the parent stores first, then forwards. */
export const RunEvent = z.discriminatedUnion('type', [
  z.object({ ...envelope, type: z.literal('started'), environment: Environment, resumedFromStep: z.int().optional() }),
  z.object({
    ...envelope,
    type: z.literal('progress'),
    phase: z.string(),
    /** Steps done in this phase, of totalSteps. */
    step: z.number(),
    totalSteps: z.number(),
    /** Share of the whole run's work done, 0–1. */
    fraction: z.number(),
    remainingMs: z.number().optional(),
  }),
  z.object({ ...envelope, type: z.literal('metrics'), points: z.array(MetricPoint) }),
  z.object({ ...envelope, type: z.literal('log'), level: z.enum(['info', 'warning']), message: z.string() }),
  z.object({ ...envelope, type: z.literal('artifact'), artifact: Artifact }),
  /** A name that comes again replaces the table. */
  z.object({ ...envelope, type: z.literal('table'), table: LiveTable }),
  z.object({ ...envelope, type: z.literal('checkpoint'), phase: z.string(), step: z.int(), path: z.string() }),
  z.object({
    ...envelope,
    type: z.literal('finished'),
    state: z.enum(['succeeded', 'failed', 'cancelled', 'interrupted']),
    metrics: ResultMetrics.optional(),
    error: ErrorData.optional(),
    /** Highest resident memory of the job process. */
    peakMemoryBytes: z.number().optional(),
  }),
]);
export type RunEvent = z.infer<typeof RunEvent>;

/** What the history knows about a run: the row, without series and artifacts' bytes. */
export const RunRecord = z.object({
  runId: z.string(),
  state: RunState,
  request: RunRequest,
  createdAtMs: z.number(),
  startedAtMs: z.number().nullable(),
  finishedAtMs: z.number().nullable(),
  /** Time spent computing, over all jobs. */
  durationMs: z.number(),
  environment: Environment.nullable(),
  metrics: ResultMetrics,
  error: ErrorData.nullable(),
  artifacts: z.array(Artifact),
  jobs: z.int(),
  resumable: z.boolean(),
});
export type RunRecord = z.infer<typeof RunRecord>;
