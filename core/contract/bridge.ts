import { z } from 'zod';
import { ImportedRun } from './bundle.ts';
import { DataCard, KnownData } from './data-card.ts';
import { EventPage, RunDetails, RunPage, RunProgress, RunQuery, RunRow, Series } from './history.ts';
import { KnownModel, ModelInspection } from './inspection.ts';
import { MachineFacts, QueueFacts } from './machine.ts';
import { Preflight } from './preflight.ts';
import { DataRef, DeviceName, ErrorData, Normalisation, RunEvent, RunRequest, splits } from './run.ts';
import { SanityReading } from './sanity.ts';
import { Settings } from './settings.ts';

/**
 * The one list of what a window may ask of the host and what the host tells its windows. Both sides parse. Methods are
 * not asked for: a window imports the catalogue. Two transports carry it: HTTP on the loopback (http.ts) and the ports
 * of Electron. Whatever fails is `ErrorData`; no Error object crosses.
 */

const RunIds = z.strictObject({ runIds: z.array(z.string()).min(1).max(1000) });
const OneRun = z.strictObject({ runId: z.string() });
const Nothing = z.strictObject({});
const Done = z.object({});
/** Absolute path on the host, or `bundled:NAME`. */
const HostPath = z.string().min(1).max(4096);

/** Fields that are wrong, each with the words for the user; `field` is a key of params, `models.ROLE` or `data.ROLE`. */
export const Complaint = z.object({ field: z.string(), message: z.string(), hint: z.string().optional() });
export type Complaint = z.infer<typeof Complaint>;

/** What the form has so far: paths may be `bundled:NAME`; parameters that are missing get their defaults. */
export const DraftRequest = RunRequest.omit({ methodVersion: true, threads: true }).extend({
  threads: RunRequest.shape.threads.optional(),
});
export type DraftRequest = z.input<typeof DraftRequest>;

export const Estimate = z.object({
  /** Half of the runs should take between low and high; null when nothing can be said. */
  time: z.object({ lowMs: z.number(), likelyMs: z.number(), highMs: z.number() }).nullable(),
  memoryBytes: z.number().nullable(),
  diskBytes: z.number().nullable(),
  /** What it is based on, for the reader. */
  basis: z.string(),
});
export type Estimate = z.infer<typeof Estimate>;

export const Assessment = z.object({
  /** Complete, defaults filled in; null while something is wrong. */
  request: RunRequest.nullable(),
  complaints: z.array(Complaint),
  command: z.string().nullable(),
  estimate: Estimate.nullable(),
});
export type Assessment = z.infer<typeof Assessment>;

/** A file that a window reads for the user. */
const UploadEntry = z.strictObject({
  /** Relative, forward slashes, no '..': `model.onnx`, `cats/1.png`. */
  path: z.string().min(1).max(1024),
  sizeBytes: z.int().min(0),
});

/** A bundle is one file, and is gone when it has been imported. */
const uploadKinds = ['model', 'data', 'bundle'] as const;
export type UploadKind = (typeof uploadKinds)[number];

/** A curve of a run, as a column of a table. */
export const SeriesCurve = z.strictObject({ runId: z.string(), name: z.string(), label: z.string().max(200) });
export type SeriesCurve = z.infer<typeof SeriesCurve>;

/** Something to fetch without a session's secret, for a frame, an image or a download. */
export const LinkTarget = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('report'), runId: z.string() }),
  z.strictObject({ kind: z.literal('artifact'), runId: z.string(), name: z.string() }),
  z.strictObject({
    kind: z.literal('export'),
    runId: z.string(),
    /** html and json are one file; csv, artifacts and all are a zip. */
    format: z.enum(['html', 'json', 'sarif', 'csv', 'artifacts', 'all']),
  }),
  /** Runs that have ended, with all that belongs to them, signed with the key of this workspace. */
  z.strictObject({ kind: z.literal('bundle'), runIds: z.array(z.string()).min(1).max(1000) }),
  /** Every point of some curves in one CSV, whose name is `title`. */
  z.strictObject({
    kind: z.literal('series'),
    title: z.string().min(1).max(200),
    xTitle: z.string().max(200),
    curves: z.array(SeriesCurve).min(1).max(200),
  }),
]);
export type LinkTarget = z.input<typeof LinkTarget>;

export const requests = {
  'machine.facts': { in: Nothing, out: MachineFacts },
  /** Opens every device and measures its speed, seconds each; nothing else may compute meanwhile (RUN_STATE). */
  'machine.measure': { in: Nothing, out: MachineFacts },

  'settings.get': { in: Nothing, out: Settings },
  /** What is not given stays as it is. */
  'settings.change': {
    in: z.strictObject({
      threads: z.int().min(1).max(256).nullable().optional(),
      device: DeviceName.optional(),
      places: z.array(HostPath).max(50).optional(),
      looksAhead: z.boolean().optional(),
    }),
    out: Settings,
  },

  /**
   * Lets the user choose another workspace, in a dialog of the host; a window asks everything anew after a change. Refused
   * (USAGE) by a host whose workspace the command line names.
   */
  'workspace.change': { in: Nothing, out: z.object({ isChanged: z.boolean() }) },

  'models.list': { in: Nothing, out: z.array(KnownModel) },
  /** Architectures of the zoo, for roles that take one. */
  'models.architectures': { in: Nothing, out: z.array(z.string()) },
  /** Reads the file in a process of its own. `dims`: sizes of symbolic dimensions. */
  'models.inspect': {
    in: z.strictObject({ path: HostPath, dims: z.record(z.string(), z.int().positive()).optional() }),
    out: ModelInspection,
  },
  /** What the user says about a model, kept by its hash. null takes it back. */
  'models.annotate': {
    in: z.strictObject({
      path: HostPath,
      classNames: z.array(z.string().max(200)).max(100_000).nullable().optional(),
      normalisation: Normalisation.nullable().optional(),
    }),
    out: Done,
  },
  /** Accuracy on a few labelled images under each pre-processing that is usual; seconds, in a process of its own. */
  'models.sanity': {
    in: z.strictObject({ path: HostPath, data: DataRef, count: z.int().min(10).max(1000).default(200) }),
    out: SanityReading,
  },
  /** Which methods can use the file, and in which roles; why not where they cannot. */
  'models.methods': {
    in: z.strictObject({ path: HostPath }),
    out: z.array(
      z.object({
        methodId: z.string(),
        roles: z.array(z.object({ role: z.string(), problem: z.string().nullable() })),
      }),
    ),
  },
  'data.list': { in: Nothing, out: z.array(KnownData) },
  'data.inspect': {
    in: z.strictObject({
      path: HostPath,
      format: DataRef.shape.format,
      split: z.enum(splits).default('all'),
      samples: z.int().min(0).max(400).default(60),
      seed: z.int().min(0).default(0),
      /** [height, width] for pictures of many sizes. */
      resizeTo: z.tuple([z.int().positive(), z.int().positive()]).optional(),
    }),
    out: DataCard,
  },
  /** What lies in a folder of the host, to choose from; hidden entries are left out. */
  'files.list': {
    in: z.strictObject({ path: HostPath.optional() }),
    out: z.object({
      path: z.string(),
      parent: z.string().nullable(),
      entries: z.array(z.object({ name: z.string(), path: z.string(), isFolder: z.boolean(), sizeBytes: z.number() })),
    }),
  },

  /** Announces files that a window is about to send; they end up under the workspace, named by hash. */
  'uploads.begin': {
    in: z.strictObject({ kind: z.enum(uploadKinds), files: z.array(UploadEntry).min(1).max(100_000) }),
    out: z.object({ uploadId: z.string(), chunkBytes: z.int() }),
  },
  'uploads.finish': {
    in: z.strictObject({ uploadId: z.string() }),
    out: z.object({
      /** What models.inspect or data.inspect takes: the file, or the folder when there were several. */
      path: z.string(),
      sha256: z.string(),
      /** The same content was there before. */
      isDuplicate: z.boolean(),
    }),
  },
  'uploads.abort': { in: z.strictObject({ uploadId: z.string() }), out: Done },

  /** Checks a form as it is and says what it would cost; called at every pause of the typing. */
  'runs.assess': { in: DraftRequest, out: Assessment },
  /** What the method measures before such a run, where its declaration has `lookAhead`; seconds, in a process of its own. */
  'runs.lookAhead': {
    in: z.strictObject({
      request: DraftRequest,
      /** Of the window that asks; the next look with it, and `runs.stopLooking`, end this one (CANCELLED). */
      lookId: z.string().min(1).max(64),
      /** Nobody asked the window to: refused (RUN_STATE) while the machine computes, ended (CANCELLED) when a run begins. */
      isByItself: z.boolean().default(false),
    }),
    out: Preflight,
  },
  'runs.stopLooking': { in: z.strictObject({ lookId: z.string() }), out: Done },
  /** Checks the runs of a group as one; `complaints` are those of the first that is wrong, times are added up. */
  'runs.assessGroup': {
    in: z.strictObject({ requests: z.array(DraftRequest).min(1).max(500) }),
    out: z.object({
      /** Runs that could be made. */
      count: z.int(),
      complaints: z.array(Complaint),
      estimate: Estimate.nullable(),
      /** One line that asks for all of them again. */
      command: z.string().nullable(),
    }),
  },
  /** Queues runs; several become a group. All are checked before the first is queued. */
  'runs.start': {
    in: z.strictObject({ requests: z.array(DraftRequest).min(1).max(500), note: z.string().max(10_000).optional() }),
    out: z.object({ runIds: z.array(z.string()), groupId: z.string().nullable() }),
  },
  'runs.list': { in: RunQuery, out: RunPage },
  'runs.get': { in: OneRun, out: RunDetails },
  /** How far each run that waits or computes has come, by its id; one that has said nothing yet is not there. */
  'runs.progress': { in: Nothing, out: z.record(z.string(), RunProgress) },
  /** One curve for each metric, or for those named. */
  'runs.series': {
    in: z.strictObject({
      runId: z.string(),
      names: z.array(z.string()).optional(),
      fromStep: z.int().optional(),
      toStep: z.int().optional(),
      maxPoints: z.int().min(10).max(20_000).default(2000),
    }),
    out: z.record(z.string(), Series),
  },
  /** Stored events of one job after `afterSeq` (-1 or absent: from the first), oldest first. */
  'runs.events': {
    in: z.strictObject({
      runId: z.string(),
      jobId: z.string().optional(),
      afterSeq: z.int().min(-1).default(-1),
      types: z
        .array(z.enum(['started', 'progress', 'metrics', 'log', 'artifact', 'table', 'checkpoint', 'finished']))
        .optional(),
      limit: z.int().min(1).max(5000).default(1000),
    }),
    out: EventPage,
  },
  /** A waiting run leaves the queue, a running one stops at its next safe point; both may be resumed. */
  'runs.cancel': { in: OneRun, out: Done },
  /** As cancel, and the history says that it is to go on. Runs that wait behind it are computed meanwhile. */
  'runs.pause': { in: OneRun, out: Done },
  /** Puts a cancelled or interrupted run back into the queue. */
  'runs.resume': { in: OneRun, out: Done },
  /** Into the trash, from where it goes for good after 30 days. A run that waits or runs is refused (RUN_STATE). */
  'runs.trash': { in: RunIds, out: Done },
  'runs.restore': { in: RunIds, out: Done },
  /** For good, at once; only what is in the trash. */
  'runs.purge': { in: RunIds, out: Done },
  'runs.annotate': {
    in: z.strictObject({
      runIds: z.array(z.string()).min(1).max(1000),
      note: z.string().max(10_000).optional(),
      addTags: z.array(z.string().trim().min(1).max(50)).max(50).optional(),
      removeTags: z.array(z.string()).max(50).optional(),
    }),
    out: z.array(RunRow),
  },
  /** Takes in the runs of a bundle, uploaded or lying on the host; the same bundle again changes nothing. */
  'runs.import': {
    in: z.strictObject({ path: HostPath }),
    out: z.object({
      /** Fingerprint of the key that signed it. */
      key: z.string(),
      runs: z.array(ImportedRun),
    }),
  },
  /** Every tag in use, most used first. */
  'runs.tags': { in: Nothing, out: z.array(z.object({ tag: z.string(), count: z.int() })) },

  'queue.facts': { in: Nothing, out: QueueFacts },
  /** After a halt: go on with the next run. */
  'queue.continue': { in: Nothing, out: QueueFacts },

  /** A relative URL that works for ten minutes. */
  'links.create': { in: LinkTarget, out: z.object({ url: z.string() }) },
  /** The same for the report as PDF. Refused (USAGE) by a host that cannot print; a browser can. */
  'links.createPdf': { in: OneRun, out: z.object({ url: z.string() }) },
  /** The address with a fresh one-time token, to open a further window or another browser. */
  'session.invite': { in: Nothing, out: z.object({ url: z.string() }) },
} as const;

type Requests = typeof requests;
export type RequestName = keyof Requests;
/** What a caller gives: fields with a default may be left out. */
export type RequestParams<K extends RequestName> = z.input<Requests[K]['in']>;
/** What the host sees after parsing. */
export type ParsedParams<K extends RequestName> = z.output<Requests[K]['in']>;
export type RequestResult<K extends RequestName> = z.output<Requests[K]['out']>;

/** The envelope of an answer. */
export const Answer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({ ok: z.literal(false), error: ErrorData }),
]);
export type Answer = z.infer<typeof Answer>;

/**
 * What the host tells all windows. `seq` counts without gaps for as long as `hostId` lives; a window that went away asks
 * for what came after the last it saw. `reset`: that is no longer known (the host was restarted, or it was too long
 * ago), so whatever is on the screen has to be asked for anew; `seq` is then the newest, -1 before the first.
 */
const envelope = { hostId: z.string(), seq: z.int().min(-1) };
export const HostEvent = z.discriminatedUnion('type', [
  /** Everything that a job says: progress, metrics, logs, artifacts, its start and end. Stored before it is sent. */
  z.object({ ...envelope, type: z.literal('job'), event: RunEvent }),
  /** A run is new or its row has changed: state, tags, note, trash. */
  z.object({ ...envelope, type: z.literal('run'), row: RunRow }),
  z.object({ ...envelope, type: z.literal('runs-removed'), runIds: z.array(z.string()) }),
  z.object({ ...envelope, type: z.literal('queue'), queue: QueueFacts }),
  z.object({ ...envelope, type: z.literal('library'), what: z.enum(['models', 'data']) }),
  z.object({ ...envelope, type: z.literal('reset') }),
]);
export type HostEvent = z.infer<typeof HostEvent>;

/** How a window is connected. 'refused': the session has ended; a new address with a token is needed. */
export type Connection = 'connecting' | 'open' | 'lost' | 'refused';

/** A file of the user in a window; the DOM's File and Blob fit. */
export interface UploadFile {
  readonly size: number;
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

export interface UploadRequest {
  readonly kind: UploadKind;
  readonly files: readonly { readonly path: string; readonly file: UploadFile }[];
  readonly onProgress?: (sentBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignalLike;
}

/** The part of an AbortSignal that is needed, without the DOM's types. */
export interface AbortSignalLike {
  readonly aborted: boolean;
}

/** All that a window knows of the host. `request` and `upload` reject with a WorkbenchError. */
export interface Bridge {
  request<K extends RequestName>(name: K, params: RequestParams<K>): Promise<RequestResult<K>>;
  /** Calls `listener` with every event from now on, in order, across reconnects. Returns the unsubscribing function. */
  subscribe(listener: (event: HostEvent) => void): () => void;
  /** Calls `listener` with the present state at once and at each change. */
  onConnection(listener: (connection: Connection) => void): () => void;
  upload(request: UploadRequest): Promise<RequestResult<'uploads.finish'>>;
  /** Bytes of an artifact by its SHA-256. */
  artifact(sha256: string): Promise<Uint8Array<ArrayBuffer>>;
}
