import { EventEmitter } from 'node:events';
import { Socket } from 'node:net';
import { pathToFileURL } from 'node:url';
import { openFrames, StandInPort } from './ports.ts';

/** What the stand-in runs in place of Electron's utility process: a Node process without `process.send`. */
const ports = new Map<number, StandInPort>();
const parentPort = new EventEmitter();
// Whoever started us is gone.
const pipe = new Socket({ fd: 3 }).on('end', () => process.exit(0));
const send = openFrames(pipe, ({ port, data, ports: given = [], isClosed = false }) => {
  if (port === 0) parentPort.emit('message', { data, ports: given.map(open) });
  else if (isClosed) ports.get(port)?.lose();
  else ports.get(port)?.arrive(data);
});

function open(id: number): StandInPort {
  const port = new StandInPort();
  port.forward = (data) => send({ port: id, data });
  ports.set(id, port);
  return port;
}

Object.assign(parentPort, { postMessage: (data: unknown) => send({ port: 0, data }) });
Object.assign(process, { parentPort });
const [, , module] = process.argv;
if (module === undefined) throw new Error('Expected the module to run');
await import(pathToFileURL(module).href);
