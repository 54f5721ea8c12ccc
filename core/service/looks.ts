import { WorkbenchError } from '../base/errors.ts';
import type { RunRequest } from '../contract/run.ts';
import { lookApart } from './apart.ts';

/** What windows have methods measure before a run, and end again: at an edit, or when a run needs the machine. */
export interface Looks {
  /** @throws CANCELLED when it was stopped; RUN_STATE for one by itself while the machine computes; what the method says */
  look(request: RunRequest, asked: LookAsked): Promise<unknown>;
  /** One that has ended, or never was, is no matter. */
  stop(lookId: string): void;
  /** Those that nobody asked for end, for a run begins. */
  giveWay(): void;
  /** Keeps those that nobody asked for from beginning while `work` is done. */
  without<T>(work: () => Promise<T>): Promise<T>;
  close(): void;
}

export interface LookAsked {
  readonly lookId: string;
  /** The window looks without being asked to: it gives way to everything else. */
  readonly isByItself: boolean;
}

type Look = (request: RunRequest, options: { signal: AbortSignal; timeLimitMs?: number }) => Promise<unknown>;

/** Longer is for those who ask for it. */
const byItselfLimitMs = 60_000;

const apart: Look = (request, options) => lookApart({ kind: 'look-ahead', request }, options);

export function createLooks(isComputing: () => boolean, look: Look = apart): Looks {
  const underWay = new Map<string, { readonly controller: AbortController; readonly isByItself: boolean }>();
  let held = 0;
  const stopThose = (isMeant: (isByItself: boolean) => boolean): void => {
    for (const { controller, isByItself } of underWay.values()) if (isMeant(isByItself)) controller.abort();
  };
  return {
    async look(request, { lookId, isByItself }) {
      if (isByItself && (held > 0 || isComputing())) {
        throw new WorkbenchError('RUN_STATE', 'The machine computes, and a look ahead would disturb it', {
          hint: 'It is made when the machine is free; a click makes it at once.',
        });
      }
      underWay.get(lookId)?.controller.abort();
      const controller = new AbortController();
      underWay.set(lookId, { controller, isByItself });
      try {
        const limit = isByItself ? { timeLimitMs: byItselfLimitMs } : {};
        return await look(request, { signal: controller.signal, ...limit });
      } finally {
        if (underWay.get(lookId)?.controller === controller) underWay.delete(lookId);
      }
    },
    stop: (lookId) => underWay.get(lookId)?.controller.abort(),
    giveWay: () => stopThose((isByItself) => isByItself),
    async without(work) {
      held += 1;
      stopThose((isByItself) => isByItself);
      try {
        return await work();
      } finally {
        held -= 1;
      }
    },
    close: () => stopThose(() => true),
  };
}
