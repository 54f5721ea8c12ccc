import type { Bridge } from '../../core/contract/bridge.ts';
import { portName, type HostPort } from '../../core/contract/channels.ts';
import { connectHttp } from './http-bridge.ts';
import { connectPort } from './port-bridge.ts';

declare global {
  interface Window {
    /** In a window of the application, what its preload exposes. */
    readonly [portName]?: HostPort;
  }
}

/** The bridge of this page: the port of the application where there is one, else the server that the page came from. */
export function connect({ location, history, sessionStorage, [portName]: port }: Window): Bridge {
  if (!port) return connectHttp({ location, history, storage: sessionStorage });
  port.onGo((hash) => {
    location.hash = hash;
  });
  return connectPort(port);
}

/** In the application a window has no address that another one could be opened at. */
export const hasAddress = (): boolean => window[portName] === undefined;
