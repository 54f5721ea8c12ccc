import { readdirSync, statSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { type ErrorShape, WorkbenchError } from '../base/errors.ts';
import { type Child, startChild } from './child-process.ts';
import type { LoadAnswer, LoadReport, LoadRequest } from './isolated-load-process.ts';
import type { Usage } from './child-process-usage.ts';

/** What one load may take. Memory is that of the whole process, of which Node and onnxruntime need about 150 MB. */
export interface LoadLimits {
  readonly wallMs: number;
  /** Processor time of all threads. */
  readonly cpuMs: number;
  readonly memoryBytes: number;
}

/** What became of a file in a process of its own. */
export type LoadFate =
  | { readonly kind: 'passed'; readonly report: LoadReport }
  /** Our own rules, or onnxruntime, said no. */
  | { readonly kind: 'refused'; readonly error: ErrorShape }
  /** It took more than allowed, and the process was ended. */
  | { readonly kind: 'stopped'; readonly over: 'time' | 'cpu' | 'memory'; readonly limit: number }
  /** The process ended by itself. */
  | { readonly kind: 'crashed'; readonly how: string; readonly output: string };

export type ProbeResult = LoadFate & {
  readonly wallMs: number;
  /** undefined where the system does not tell. */
  readonly usage: Usage | undefined;
};

export interface LoaderOptions {
  /** Monotonic milliseconds. */
  readonly elapsed: () => number;
  /** Processor time after which the system ends the process even when nobody watches it any more. */
  readonly lifetimeCpuSeconds?: number;
  /** Another module than the loading one, for tests. */
  readonly module?: URL;
}

/** A process that loads models one after another, and is replaced when one of them costs it its life. */
export interface Loader {
  load(request: LoadRequest, limits: LoadLimits): Promise<ProbeResult>;
  /** How many processes there have been. */
  readonly processCount: number;
  close(): Promise<void>;
}

const gib = 2 ** 30;
const pollMs = 20;

/** Generous for any classifier of the size of this file, and no harm to a workstation. */
export function loadLimitsFor(path: string): LoadLimits {
  const fileBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  // The file, its graph rewritten, onnxruntime's copy and its optimised one.
  const ofFile = 2 * gib + 8 * fileBytes;
  // Large weights that stand beside it: as they were read, onnxruntime's copy, and one on the way.
  const withWeights = Math.min(ofFile + 4 * bytesBeside(path), 0.75 * totalmem());
  return { wallMs: 120_000, cpuMs: 120_000, memoryBytes: Math.max(ofFile, withWeights) };
}

/** Bytes of what may hold weights of the model: which files do, only the model itself could tell. */
function bytesBeside(path: string): number {
  try {
    const others = readdirSync(dirname(path), { withFileTypes: true }).filter(
      (entry) => entry.isFile() && !entry.name.endsWith('.onnx'),
    );
    return others.reduce((sum, { name }) => sum + statSync(join(dirname(path), name)).size, 0);
  } catch {
    return 0;
  }
}

/**
 * Opens a model file for the first time where it can harm nothing: in a process of its own, with limits on time, processor
 * and memory. The process reads and checks the file, has onnxruntime load the graph and runs it once on zeros. Never
 * rejects; the result says what became of it.
 */
export async function probeModel(
  path: string,
  options: LoaderOptions,
  limits: LoadLimits = loadLimitsFor(path),
): Promise<ProbeResult> {
  const loader = openLoader({ lifetimeCpuSeconds: Math.ceil(limits.cpuMs / 1000) + 5, ...options }, limits.memoryBytes);
  try {
    return await loader.load({ path }, limits);
  } finally {
    await loader.close();
  }
}

/** `memoryBytes` is what the system itself holds the process to, as a net below the watch that each load is under. */
export function openLoader(
  { elapsed, lifetimeCpuSeconds = 3600, module }: LoaderOptions,
  memoryBytes = 16 * gib,
): Loader {
  let running: Running | undefined;
  let processCount = 0;
  const close = async (): Promise<void> => {
    const ending = running;
    running = undefined;
    ending?.child.kill();
    await ending?.gone;
  };
  return {
    get processCount() {
      return processCount;
    },
    close,
    async load(request, limits) {
      const started = elapsed();
      if (running === undefined) {
        const fresh = start(module ?? loaderModule, { memoryBytes, cpuSeconds: lifetimeCpuSeconds });
        running = fresh;
        processCount++;
        const forget = (): void => {
          if (running === fresh) running = undefined;
        };
        void fresh.gone.then(forget);
      }
      const { fate, usage } = await watch(running, request, limits);
      if (fate.kind === 'stopped' || fate.kind === 'crashed') await close();
      return { ...fate, wallMs: elapsed() - started, usage };
    },
  };
}

const loaderModule = new URL('./isolated-load-process.ts', import.meta.url);

interface Running {
  readonly child: Child;
  /** How the process ended, and the end of what it said. */
  readonly gone: Promise<{ readonly how: string; readonly output: string }>;
  /** Takes the next answer. */
  take: (answer: LoadAnswer) => void;
}

function start(module: URL, limits: { readonly memoryBytes: number; readonly cpuSeconds: number }): Running {
  const child = startChild(module, { limits, hasBareEnvironment: true });
  const gone = new Promise<{ how: string; output: string }>((resolve) => {
    child.onExit(({ exitCode, signal, error, output }) =>
      resolve({ how: error?.message ?? signal ?? `exit code ${exitCode}`, output }),
    );
  });
  const running: Running = { child, gone, take: () => undefined };
  child.onMessage((message) => running.take(message as LoadAnswer));
  return running;
}

/** Sends a request and holds the process to the limits until it answers or ends. */
async function watch(
  running: Running,
  request: LoadRequest,
  limits: LoadLimits,
): Promise<{ readonly fate: LoadFate; readonly usage: Usage | undefined }> {
  const { child, gone } = running;
  const before = await child.usage();
  let peak: Usage | undefined;
  let over: 'time' | 'cpu' | 'memory' | undefined;
  const stop = (why: typeof over): void => {
    over ??= why;
    child.kill();
  };
  const look = async (): Promise<void> => {
    const now = await child.usage();
    if (now === undefined) return;
    const cpuMs = now.cpuMs - (before?.cpuMs ?? 0);
    peak = { memoryBytes: Math.max(now.memoryBytes, peak?.memoryBytes ?? 0), cpuMs };
    if (now.memoryBytes > limits.memoryBytes) stop('memory');
    else if (cpuMs > limits.cpuMs) stop('cpu');
  };
  const poll = setInterval(() => void look(), pollMs);
  const alarm = setTimeout(() => stop('time'), limits.wallMs);
  const answered = new Promise<LoadAnswer>((resolve) => {
    running.take = resolve;
  });
  // A message that cannot be sent has lost its reader, whose end is seen below.
  child.post(request);
  try {
    const outcome = await Promise.race([answered, gone]);
    await look();
    return { fate: fateOf(outcome, over, limits), usage: peak };
  } finally {
    clearInterval(poll);
    clearTimeout(alarm);
  }
}

const exhausted = /bad.alloc|out of memory|allocate memory|allocation failed/i;

function fateOf(
  outcome: LoadAnswer | { readonly how: string; readonly output: string },
  over: 'time' | 'cpu' | 'memory' | undefined,
  limits: LoadLimits,
): LoadFate {
  const overLimit = { time: limits.wallMs, cpu: limits.cpuMs, memory: limits.memoryBytes };
  if ('ok' in outcome) {
    if (outcome.ok) return { kind: 'passed', report: outcome.report };
    // What the system would not give it is a matter of the limits, not of the file's form.
    if (exhausted.test(outcome.error.message)) return { kind: 'stopped', over: 'memory', limit: limits.memoryBytes };
    return { kind: 'refused', error: outcome.error };
  }
  if (over !== undefined) return { kind: 'stopped', over, limit: overLimit[over] };
  if (outcome.how === 'SIGXCPU') return { kind: 'stopped', over: 'cpu', limit: limits.cpuMs };
  if (exhausted.test(outcome.output)) return { kind: 'stopped', over: 'memory', limit: limits.memoryBytes };
  return { kind: 'crashed', how: outcome.how, output: outcome.output };
}

const reasons = {
  time: (limit: number) => `it took more than ${Math.round(limit / 1000)} s`,
  cpu: (limit: number) => `it took more than ${Math.round(limit / 1000)} s of processor time`,
  memory: (limit: number) => `it took more than ${Math.round(limit / 2 ** 20)} MiB of memory`,
};

/** The error that a probe amounts to; undefined when the file passed. */
export function probeError(path: string, result: LoadFate): WorkbenchError | undefined {
  switch (result.kind) {
    case 'passed':
      return undefined;
    case 'refused':
      return WorkbenchError.fromShape(result.error);
    case 'stopped':
      return new WorkbenchError(
        'MODEL_UNREADABLE',
        `${path}: opening the file in a process of its own was stopped, because ${reasons[result.over](result.limit)}`,
        {
          hint: 'The file asks for more than a classifier of its size needs. Check where it comes from.',
          details: { probe: { kind: result.kind, over: result.over, limit: result.limit } },
        },
      );
    case 'crashed':
      return new WorkbenchError(
        'MODEL_UNREADABLE',
        `${path}: opening the file ended the process that had been started for it, with ${result.how}`,
        {
          hint: 'onnxruntime cannot cope with this file, though it keeps all rules of docs/hostile-files.md. Check where it comes from.',
          details: { probe: { kind: result.kind, how: result.how, output: result.output } },
        },
      );
  }
}
