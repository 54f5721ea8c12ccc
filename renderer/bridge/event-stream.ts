import { HostEvent, type Connection } from '../../core/contract/bridge.ts';
import { linesOf } from './lines.ts';

const retryMs = [250, 500, 1000, 2000, 4000];
/** The server says something every 15 s. A tunnel that died without a word is known by this silence. */
const silenceMs = 40_000;

/** What the stream is made of. */
export interface EventSource {
  /** Bytes of the stream from what `query` names; undefined when the session has ended. Breaks off at `signal`. */
  open(query: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  emit(event: HostEvent): void;
  setConnection(connection: Connection): void;
}

/** Reads the stream of events for as long as the page lives, and goes on after the last one seen. */
export async function followEvents({ open, emit, setConnection }: EventSource): Promise<void> {
  let last: { readonly hostId: string; readonly seq: number } | undefined;
  let failures = 0;
  /** Nothing is asked for before the stream is open or has failed once: only then is there something to ask for anew. */
  let isFresh = true;
  for (;;) {
    const silence = watchSilence();
    try {
      const query = last ? `?${new URLSearchParams({ host: last.hostId, after: String(last.seq) }).toString()}` : '';
      const bytes = await open(query, silence.signal);
      if (!bytes) return;
      setConnection('open');
      failures = 0;
      for await (const line of linesOf(silence.heard(bytes))) {
        const event = HostEvent.parse(JSON.parse(line));
        const isStart = isFresh && last === undefined;
        last = { hostId: event.hostId, seq: event.seq };
        if (!isStart) emit(event);
      }
    } catch (thrown) {
      console.info('The stream of events broke; trying again.', thrown);
    } finally {
      silence.end();
    }
    isFresh = false;
    setConnection('lost');
    await new Promise((resolve) => setTimeout(resolve, retryMs[Math.min(failures, retryMs.length - 1)]));
    failures++;
  }
}

function watchSilence() {
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => controller.abort(new Error(`Nothing was heard for ${silenceMs} ms`)), silenceMs);
  };
  wait();
  return {
    signal: controller.signal,
    async *heard(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of bytes) {
        wait();
        yield chunk;
      }
    },
    end: () => clearTimeout(timer),
  };
}
