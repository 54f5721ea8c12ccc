import { createContext, use, useCallback, useEffect, useEffectEvent, useMemo, useRef, useState } from 'react';
import { toWorkbenchError, WorkbenchError } from '../../core/base/errors.ts';
import type {
  Bridge,
  Connection,
  HostEvent,
  RequestName,
  RequestParams,
  RequestResult,
} from '../../core/contract/bridge.ts';
import { keepRecent } from './recent.ts';
import { share } from './share.ts';

export const BridgeContext = createContext<Bridge | undefined>(undefined);

export function useBridge(): Bridge {
  const bridge = use(BridgeContext);
  if (!bridge) throw new WorkbenchError('INTERNAL', 'No bridge around this component');
  return bridge;
}

export function useConnection(): Connection {
  const bridge = useBridge();
  const [connection, setConnection] = useState<Connection>('connecting');
  useEffect(() => bridge.onConnection(setConnection), [bridge]);
  return connection;
}

/** Calls `handler` with every event of the host while the component is on screen. */
function useHostEvents(handler: (event: HostEvent) => void): void {
  const bridge = useBridge();
  const handle = useEffectEvent(handler);
  useEffect(() => bridge.subscribe((event) => handle(event)), [bridge]);
}

export interface Loaded<T> {
  /** The last answer; stays while a newer one is on its way. */
  readonly data: T | undefined;
  readonly error: WorkbenchError | undefined;
  readonly isLoading: boolean;
  reload(): void;
}

/** Answers by request, so that a page that was seen before is there at once and then refreshed. */
const answers = keepRecent(200);
const quietMs = 200;

/** What a component was answered last; another one's newer answer does not take it away. */
interface Answered {
  readonly key?: string;
  readonly data?: unknown;
  readonly error?: WorkbenchError;
}

/** Asks the host, again at `refreshOn` events and whenever the host was away. `params` null: not yet. */
export function useRequest<K extends RequestName>(
  name: K,
  params: RequestParams<K> | null,
  refreshOn: (event: HostEvent) => boolean = () => false,
): Loaded<RequestResult<K>> {
  const bridge = useBridge();
  const key = params === null ? undefined : `${name} ${JSON.stringify(params)}`;
  const [version, setVersion] = useState(0);
  const [state, setState] = useState<Answered>({});
  const ask = useEffectEvent(async () => (params === null ? undefined : bridge.request(name, params)));

  useEffect(() => {
    if (key === undefined) return undefined;
    let isCurrent = true;
    ask().then(
      (result) => {
        // What was asked for again since is newer.
        if (!isCurrent) return;
        const data = share(answers.get(key), result);
        answers.set(key, data);
        setState({ key, data });
      },
      (thrown: unknown) => {
        if (!isCurrent) return;
        setState(({ data, key: before }) => ({
          key,
          data: before === key ? data : answers.get(key),
          error: toWorkbenchError(thrown),
        }));
      },
    );
    return () => {
      isCurrent = false;
    };
  }, [bridge, name, key, version]);

  const reload = useCallback(() => setVersion((before) => before + 1), []);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useHostEvents((event) => {
    if (event.type !== 'reset' && !refreshOn(event)) return;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      reload();
    }, quietMs);
  });
  useEffect(() => () => clearTimeout(timer.current), []);

  return useMemo(() => {
    const isMine = key !== undefined && state.key === key;
    return {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key holds the request's name
      data: (isMine ? state.data : answers.get(key ?? '')) as RequestResult<K> | undefined,
      error: isMine ? state.error : undefined,
      isLoading: key !== undefined && !isMine,
      reload,
    };
  }, [key, state, reload]);
}
