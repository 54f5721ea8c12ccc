import { toWorkbenchError, WorkbenchError } from '../../core/base/errors.ts';
import {
  HostEvent,
  requests,
  type Bridge,
  type Connection,
  type RequestName,
  type RequestParams,
  type RequestResult,
} from '../../core/contract/bridge.ts';
import { paths, SessionGrant, tokenParameter } from '../../core/contract/http.ts';
import { linesOf } from './lines.ts';
import { resultOf, sendFiles, type Append } from './transfer.ts';

const sessionKey = 'palimpsest.session';
const retryMs = [250, 500, 1000, 2000, 4000];

interface Place {
  readonly location: Location;
  readonly history: History;
  readonly storage: Storage;
}

/** The bridge to `palimpsest serve`, which served this page. The token leaves the address before anything else. */
export function connectHttp({ location, history, storage }: Place): Bridge {
  const session = openSession({ location, history, storage });
  const listeners = new Set<(event: HostEvent) => void>();
  const watchers = new Set<(connection: Connection) => void>();
  let connection: Connection = 'connecting';
  const setConnection = (next: Connection): void => {
    if (next === connection) return;
    connection = next;
    for (const watcher of watchers) watcher(next);
  };
  const authorised: Fetch = async (path, init) => {
    const headers = { ...init.headers, authorization: `Bearer ${await session}` };
    const response = await fetch(path, { ...init, headers, cache: 'no-store' }).catch((thrown: unknown) => {
      throw new WorkbenchError('INTERNAL', 'The workbench does not answer', {
        hint: 'Is `palimpsest serve` still running, and the tunnel to it open? This page goes on by itself.',
        cause: thrown,
      });
    });
    if (response.status === 401) setConnection('refused');
    return response;
  };
  const bridge: Bridge = {
    request: async (name, params) => ask(authorised, name, params),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onConnection(watcher) {
      watchers.add(watcher);
      watcher(connection);
      return () => watchers.delete(watcher);
    },
    upload: async (request) => sendFiles(bridge, async (...piece) => append(authorised, ...piece), request),
    async artifact(sha256) {
      const response = await authorised(`${paths.artifact}${sha256}`, {});
      if (!response.ok) throw await refusal(response);
      return new Uint8Array(await response.arrayBuffer());
    },
  };
  session.then(
    async () => listen(authorised, (event) => listeners.forEach((listener) => listener(event)), setConnection),
    () => setConnection('refused'),
  );
  return bridge;
}

async function openSession({ location, history, storage }: Place): Promise<string> {
  const fragment = new URLSearchParams(location.hash.replace(/^#/, ''));
  const token = fragment.get(tokenParameter);
  if (token === null) {
    const kept = storage.getItem(sessionKey);
    if (kept !== null) return kept;
    throw new WorkbenchError('INTERNAL', 'This address carries no token', {
      hint: 'Open the whole address that `palimpsest serve` printed.',
    });
  }
  history.replaceState(null, '', `${location.pathname}#/`);
  const response = await fetch(paths.session, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  });
  const grant = SessionGrant.parse(await answerOf(response));
  storage.setItem(sessionKey, grant.session);
  return grant.session;
}

type Headers = Readonly<Record<string, string>>;
type Fetch = (path: string, init: Omit<RequestInit, 'headers'> & { readonly headers?: Headers }) => Promise<Response>;

async function ask<K extends RequestName>(
  authorised: Fetch,
  name: K,
  params: RequestParams<K>,
): Promise<RequestResult<K>> {
  const response = await authorised(paths.request, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, params }),
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed by the schema of this very request
  return requests[name].out.parse(await answerOf(response)) as RequestResult<K>;
}

const append = async (authorised: Fetch, ...[id, file, offset, body]: Parameters<Append>): Promise<unknown> => {
  const query = new URLSearchParams({ id, file: String(file), offset: String(offset) });
  const headers = { 'content-type': 'application/octet-stream' };
  return answerOf(await authorised(`${paths.upload}?${query.toString()}`, { method: 'POST', headers, body }));
};

const answerOf = async (response: Response): Promise<unknown> => resultOf(await response.json().catch(() => undefined));

async function refusal(response: Response): Promise<WorkbenchError> {
  try {
    await answerOf(response);
  } catch (thrown) {
    return toWorkbenchError(thrown);
  }
  return new WorkbenchError('INTERNAL', `The workbench answered with status ${response.status}`);
}

/** Reads the stream of events for as long as the page lives, and goes on after the last one seen. */
async function listen(
  authorised: Fetch,
  emit: (event: HostEvent) => void,
  setConnection: (connection: Connection) => void,
): Promise<void> {
  let last: { readonly hostId: string; readonly seq: number } | undefined;
  let failures = 0;
  for (;;) {
    try {
      const query = last ? `?${new URLSearchParams({ host: last.hostId, after: String(last.seq) }).toString()}` : '';
      const response = await authorised(`${paths.events}${query}`, {});
      if (response.status === 401) return;
      if (!response.ok || !response.body) throw await refusal(response);
      setConnection('open');
      failures = 0;
      for await (const line of linesOf(response.body)) {
        const event = HostEvent.parse(JSON.parse(line));
        last = { hostId: event.hostId, seq: event.seq };
        emit(event);
      }
    } catch (thrown) {
      console.info('The stream of events broke; trying again.', thrown);
    }
    setConnection('lost');
    await new Promise((resolve) => setTimeout(resolve, retryMs[Math.min(failures, retryMs.length - 1)]));
    failures++;
  }
}
