import { toWorkbenchError, WorkbenchError } from '../../core/base/errors.ts';
import {
  type HostEvent,
  requests,
  type Bridge,
  type Connection,
  type RequestName,
  type RequestParams,
  type RequestResult,
} from '../../core/contract/bridge.ts';
import { paths, SessionGrant, tokenParameter } from '../../core/contract/http.ts';
import { followEvents } from './event-stream.ts';
import { resultOf, sendFiles, type Append } from './transfer.ts';

const sessionKey = 'palimpsest.session';

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
  // What is asked for before the stream of events is there may have changed unnoticed when it is.
  const listening = Promise.withResolvers<void>();
  const setConnection = (next: Connection): void => {
    listening.resolve();
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
    request: async (name, params) => listening.promise.then(async () => ask(authorised, name, params)),
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
    async () =>
      followEvents({
        open: async (query, signal) => openEvents(authorised, query, signal),
        emit: (event) => listeners.forEach((listener) => listener(event)),
        setConnection,
      }),
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

async function openEvents(
  authorised: Fetch,
  query: string,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array> | undefined> {
  const response = await authorised(`${paths.events}${query}`, { signal });
  if (response.status === 401) return undefined;
  if (!response.ok || !response.body) throw await refusal(response);
  return response.body;
}
