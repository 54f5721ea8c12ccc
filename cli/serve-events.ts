import type { ServerResponse } from 'node:http';
import type { HostEvent } from '../core/contract/bridge.ts';
import type { Service } from '../core/service/service.ts';

const beatMs = 15_000;
/** A window that does not read for so long that this much waits for it is let go; it comes back and catches up. */
const mostWaitingBytes = 16 * 2 ** 20;

/** Sends events as lines of JSON until the window goes away, first those after the one that the query names, or a reset. */
export function sendEvents(response: ServerResponse, service: Service, query: URLSearchParams): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson; charset=utf-8', 'x-accel-buffering': 'no' });
  const send = (event: HostEvent): void => {
    if (response.writableLength > mostWaitingBytes) response.destroy();
    else response.write(`${JSON.stringify(event)}\n`);
  };
  const after = query.get('after') ?? '';
  // A window that names no host has seen nothing: the reset tells it where it stands, and what it asked for before now.
  for (const event of service.eventsAfter(query.get('host') ?? '', /^-?\d{1,15}$/.test(after) ? Number(after) : -1)) {
    send(event);
  }
  const leave = service.subscribe(send);
  const beat = setInterval(() => response.write('\n'), beatMs);
  response.write('\n');
  response.once('close', () => {
    clearInterval(beat);
    leave();
  });
}
