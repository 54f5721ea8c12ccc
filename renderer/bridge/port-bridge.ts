import { WorkbenchError } from '../../core/base/errors.ts';
import {
  HostEvent,
  requests,
  type Bridge,
  type RequestName,
  type RequestParams,
  type RequestResult,
} from '../../core/contract/bridge.ts';
import type { HostPort } from '../../core/contract/channels.ts';
import { resultOf, sendFiles } from './transfer.ts';

/** The bridge over the port that the application's preload exposes. Its host lives as long as the window does. */
export function connectPort(port: HostPort): Bridge {
  const listeners = new Set<(event: HostEvent) => void>();
  const bridge: Bridge = {
    request: async (name, params) => ask(port, name, params),
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    onConnection(watcher) {
      watcher('open');
      return () => undefined;
    },
    upload: async (request) =>
      sendFiles(
        bridge,
        async (uploadId, file, offset, bytes) =>
          resultOf(await port.append(uploadId, file, offset, new Uint8Array(bytes))),
        request,
      ),
    async artifact(sha256) {
      const bytes = resultOf(await port.artifact(sha256));
      if (bytes instanceof Uint8Array) return new Uint8Array(bytes);
      throw new WorkbenchError('INTERNAL', 'The workbench answered with something else than bytes');
    },
  };
  port.listen((sent) => {
    const event = HostEvent.parse(sent);
    for (const listener of listeners) listener(event);
  });
  return bridge;
}

async function ask<K extends RequestName>(
  port: HostPort,
  name: K,
  params: RequestParams<K>,
): Promise<RequestResult<K>> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- parsed by the schema of this very request
  return requests[name].out.parse(resultOf(await port.request(name, params))) as RequestResult<K>;
}
