import type { HostEvent } from '../contract/bridge.ts';
import { harmless } from '../jobs/harmless.ts';

type Unnumbered<T> = T extends unknown ? Omit<T, 'hostId' | 'seq'> : never;
/** An event before it has its place in the line. */
export type NewEvent = Unnumbered<HostEvent>;

export type Listener = (event: HostEvent) => void;

/** Numbers events without gaps and keeps the newest for windows that were away. */
export interface EventLog {
  readonly hostId: string;
  /** Number of the next event. */
  readonly nextSeq: number;
  push(event: NewEvent): void;
  subscribe(listener: Listener): () => void;
  /** What came after event `seq` of host `hostId`; one 'reset' when that is not known any more. */
  after(hostId: string, seq: number): readonly HostEvent[];
}

export function createEventLog(hostId: string, kept = 10_000): EventLog {
  const listeners = new Set<Listener>();
  let events: HostEvent[] = [];
  let nextSeq = 0;
  return {
    hostId,
    get nextSeq() {
      return nextSeq;
    },
    push(event) {
      const numbered: HostEvent = { ...event, hostId, seq: nextSeq++ };
      events.push(numbered);
      // Cut now and then, so that an event costs the same however many are kept.
      if (events.length > 2 * kept) events = events.slice(-kept);
      for (const listener of listeners) listener(numbered);
    },
    subscribe(listener) {
      // A window that is going away, or a notice that cannot be shown, must not keep the others from hearing it.
      const heard = harmless(listener);
      listeners.add(heard);
      return () => void listeners.delete(heard);
    },
    after(asked, seq) {
      const oldest = nextSeq - events.length;
      const isKnown = asked === hostId && seq >= oldest - 1 && seq < nextSeq;
      if (isKnown) return events.slice(seq + 1 - oldest);
      return [{ type: 'reset', hostId, seq: nextSeq - 1 }];
    },
  };
}
