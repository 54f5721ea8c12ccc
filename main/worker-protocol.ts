import type { MessagePortMain } from 'electron';
import { z } from 'zod';

/**
 * How the main process and its workers talk. Orders about processes go over the worker's own port to us; what a forked
 * process would say over `process.send` goes over a line of its own, which for a worker that another one asked for leads
 * to that one, so that the main process does not carry its tensors.
 */
const workerEntries = [
  'job-process',
  'lane-process',
  'isolated-load-process',
  'apart-process',
  'probe-process',
] as const;
export const WorkerEntry = z.enum(workerEntries);
export type WorkerEntry = z.infer<typeof WorkerEntry>;

const Exit = z.object({
  exitCode: z.number().nullable(),
  signal: z.string().nullable(),
  output: z.string(),
  problem: z.string().optional(),
});

/** To a worker. 'begin' and 'started' come with the end of a line. */
export const ToWorker = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('begin'), entry: WorkerEntry }),
  z.object({ kind: z.literal('started'), child: z.int(), pid: z.int() }),
  z.object({ kind: z.literal('ended'), child: z.int(), exit: Exit }),
]);
export type ToWorker = z.infer<typeof ToWorker>;

/** From a worker, which may have fallen to a hostile file: it can ask for nothing but workers, and end none but its own. */
export const FromWorker = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('start'),
    child: z.int(),
    entry: WorkerEntry,
    isBare: z.boolean(),
    limits: z.object({ memoryBytes: z.number().positive(), cpuSeconds: z.number().positive() }).optional(),
  }),
  z.object({ kind: z.literal('kill'), child: z.int() }),
]);
export type FromWorker = z.infer<typeof FromWorker>;

/** The entry that the workbench's own sources name as `new URL('./NAME.ts', import.meta.url)`. */
export function entryOf(module: URL): WorkerEntry {
  return WorkerEntry.parse(/([^/]+)\.[a-z]+$/.exec(module.pathname)?.[1]);
}

const Parcel = z.union([z.object({ id: z.int(), message: z.unknown() }), z.object({ received: z.int() })]);

/** One end of a connection between two processes. */
export interface Line {
  /** Resolves when the other end has it; never, when that goes away first. */
  send(message: unknown): Promise<void>;
  /** Messages wait until there is a listener. */
  onMessage(listener: (message: unknown) => void): void;
  readonly closed: Promise<void>;
}

/** Each message is acknowledged, so that a process that exits after its last one knows that it has arrived. */
export function openLine(port: MessagePortMain): Line {
  const waiting = new Map<number, () => void>();
  const unheard: unknown[] = [];
  const closed = Promise.withResolvers<void>();
  let hear: ((message: unknown) => void) | undefined;
  let nextId = 0;
  port.on('message', ({ data }) => {
    const parcel = Parcel.parse(data);
    if ('received' in parcel) {
      waiting.get(parcel.received)?.();
      waiting.delete(parcel.received);
      return;
    }
    port.postMessage({ received: parcel.id });
    if (hear) hear(parcel.message);
    else unheard.push(parcel.message);
  });
  port.on('close', () => closed.resolve());
  port.start();
  return {
    closed: closed.promise,
    send(message) {
      const id = nextId++;
      const { promise, resolve } = Promise.withResolvers<void>();
      waiting.set(id, resolve);
      port.postMessage({ id, message });
      return promise;
    },
    onMessage(listener) {
      hear = listener;
      for (const message of unheard.splice(0)) listener(message);
    },
  };
}

/** What a process has said may arrive after the news of its end, but not so much later. */
export const lastWordsMs = 2000;

export const afterMs = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms).unref());
