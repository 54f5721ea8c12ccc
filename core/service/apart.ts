import { availableParallelism, totalmem } from 'node:os';
import { z } from 'zod';
import { WorkbenchError, type ErrorCode } from '../base/errors.ts';
import { dataFormats, DataRef, ErrorData, Normalisation, RunRequest, splits } from '../contract/run.ts';
import { startChild, type Child } from '../runtime/child-process.ts';
import { UnpackAsked } from './bundle/unpack.ts';

/** What is looked into apart from the host: a file of strangers can cost one process, never the window. */
export const ApartCommand = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('model'),
    path: z.string(),
    dims: z.record(z.string(), z.int()),
    speed: z.object({ device: z.string(), threads: z.int(), gflops: z.number() }).optional(),
  }),
  z.strictObject({
    kind: z.literal('data'),
    path: z.string(),
    format: z.enum(dataFormats),
    split: z.enum(splits),
    samples: z.int(),
    seed: z.int(),
    resizeTo: z.tuple([z.int(), z.int()]).optional(),
  }),
  z.strictObject({
    kind: z.literal('sanity'),
    path: z.string(),
    data: DataRef,
    count: z.int(),
    also: z.array(z.strictObject({ title: z.string(), normalisation: Normalisation })),
    threads: z.int(),
    classNames: z.array(z.string()).optional(),
  }),
  /** What a method finds out about its models and data before a run. */
  z.strictObject({ kind: z.literal('look-ahead'), request: RunRequest }),
  /** What a pass through an architecture of the zoo costs; here because building a large one takes a second. */
  z.strictObject({
    kind: z.literal('architecture'),
    name: z.string(),
    /** [channels, height, width] */
    shape: z.tuple([z.int(), z.int(), z.int()]),
    classes: z.int(),
  }),
  z.strictObject({ kind: z.literal('bundle'), ...UnpackAsked.shape }),
]);
export type ApartCommand = z.infer<typeof ApartCommand>;

const ApartAnswer = z.discriminatedUnion('ok', [
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({ ok: z.literal(false), error: ErrorData }),
]);

const minuteMs = 60_000;

/** What is said of a file that costs the process its life or its time, and how long it may take. */
const kinds: Readonly<Record<ApartCommand['kind'], { readonly code: ErrorCode; readonly timeLimitMs: number }>> = {
  model: { code: 'MODEL_UNREADABLE', timeLimitMs: 2 * minuteMs },
  data: { code: 'DATA_UNREADABLE', timeLimitMs: 2 * minuteMs },
  sanity: { code: 'MODEL_UNREADABLE', timeLimitMs: 2 * minuteMs },
  'look-ahead': { code: 'MODEL_UNREADABLE', timeLimitMs: 5 * minuteMs },
  architecture: { code: 'MODEL_UNREADABLE', timeLimitMs: 2 * minuteMs },
  // Gigabytes may have to be hashed and written.
  bundle: { code: 'BUNDLE_UNREADABLE', timeLimitMs: 30 * minuteMs },
};

const lookEveryMs = 50;

export interface ApartOptions {
  /** How the process is started; forked when absent. */
  readonly launch?: (memoryBytes: number, cpuSeconds: number) => Child;
  /** What it may hold at once; three quarters of the machine's memory when absent. */
  readonly memoryBytes?: number;
  /** As usual for what is looked into when absent. */
  readonly timeLimitMs?: number;
  /** Ends the process; the look rejects with CANCELLED. */
  readonly signal?: AbortSignal;
}

const fork = (memoryBytes: number, cpuSeconds: number): Child =>
  startChild(new URL('./apart-process.ts', import.meta.url), { limits: { memoryBytes, cpuSeconds } });

/**
 * Looks into a file in a process of its own.
 * @throws what the process found wrong; MODEL_UNREADABLE, DATA_UNREADABLE or BUNDLE_UNREADABLE when the file cost it its life or its time.
 */
export async function lookApart(
  command: ApartCommand,
  { launch = fork, memoryBytes = 0.75 * totalmem(), signal, ...options }: ApartOptions = {},
): Promise<unknown> {
  const what = subjectOf(command);
  if (signal?.aborted) throw stopped(what);
  const answer = Promise.withResolvers<unknown>();
  const { code } = kinds[command.kind];
  const timeLimitMs = options.timeLimitMs ?? kinds[command.kind].timeLimitMs;
  const child = launch(memoryBytes, Math.ceil(timeLimitMs / 1000) * availableParallelism());
  const stop = (tookTooMuch: string): void => {
    answer.reject(
      new WorkbenchError(code, `Looking into ${what} took more than ${tookTooMuch} and was stopped`, {
        hint: 'The file may be made to keep programs busy. Choose another one.',
      }),
    );
    child.kill();
  };
  const timer = setTimeout(() => stop(`${timeLimitMs / 1000} s`), timeLimitMs);
  const watch = watchMemory(child, memoryBytes, () => stop(`${Math.round(memoryBytes / 2 ** 20)} MiB of memory`));
  const cancel = (): void => answer.reject(stopped(what));
  signal?.addEventListener('abort', cancel);
  child.onMessage((message) => answer.resolve(message));
  child.onExit(({ exitCode, signal: endedBy, output }) => {
    answer.reject(
      new WorkbenchError(
        code,
        `Looking into ${what} ended the process that did it (${endedBy ?? `exit code ${exitCode ?? 'unknown'}`})`,
        { hint: 'The file is damaged, made to do harm, or needs more memory than there is.', details: { output } },
      ),
    );
  });
  try {
    child.post(ApartCommand.parse(command));
    const given = ApartAnswer.parse(await answer.promise);
    if (given.ok) return given.result;
    throw WorkbenchError.fromShape(given.error);
  } finally {
    clearTimeout(timer);
    clearInterval(watch);
    signal?.removeEventListener('abort', cancel);
    child.kill();
  }
}

const stopped = (what: string): WorkbenchError =>
  new WorkbenchError('CANCELLED', `Looking into ${what} was stopped`, { hint: 'It can be asked for again.' });

function subjectOf(command: ApartCommand): string {
  if (command.kind === 'architecture') return command.name;
  return command.kind === 'look-ahead' ? `what a run of ${command.request.methodId} works on` : command.path;
}

/** Not every system starts a process under limits of its own. */
function watchMemory(child: Child, mostBytes: number, onMore: () => void): NodeJS.Timeout {
  const look = async (): Promise<void> => {
    const usage = await child.usage();
    if (usage && usage.memoryBytes > mostBytes) onMore();
  };
  return setInterval(() => void look(), lookEveryMs);
}
