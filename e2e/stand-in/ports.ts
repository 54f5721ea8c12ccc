import { EventEmitter } from 'node:events';
import { deserialize, serialize } from 'node:v8';
import type { Duplex } from 'node:stream';

/** What crosses between the stand-in's main process and its utility processes. Ports are named by numbers. */
export interface Frame {
  /** 0: the process's own port. */
  readonly port: number;
  readonly data?: unknown;
  /** Ports that come with the message. */
  readonly ports?: readonly number[];
  readonly isClosed?: boolean;
}

/** Frames over a pipe, each with its length before it. */
export function openFrames(stream: Duplex, hear: (frame: Frame) => void): (frame: Frame) => void {
  let kept = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    kept = Buffer.concat([kept, chunk]);
    while (kept.length >= 4 && kept.length >= 4 + kept.readUInt32LE(0)) {
      const end = 4 + kept.readUInt32LE(0);
      const frame: Frame = deserialize(kept.subarray(4, end));
      kept = kept.subarray(end);
      hear(frame);
    }
  });
  stream.on('error', () => undefined);
  return (frame) => {
    if (!stream.writable) return;
    const body = serialize(frame);
    const head = Buffer.alloc(4);
    head.writeUInt32LE(body.length);
    stream.write(Buffer.concat([head, body]));
  };
}

/** Electron's MessagePortMain: an end of a channel, here or passed on to another process. */
export class StandInPort extends EventEmitter {
  readonly #queue: unknown[] = [];
  #isStarted = false;
  #isClosed = false;
  /** Where what is posted here goes to. */
  forward: (data: unknown) => void = () => undefined;
  /** Set when this end lives in another process: takes what would arrive here. */
  remote: ((data: unknown, isClosed: boolean) => void) | undefined;

  postMessage(data: unknown): void {
    if (!this.#isClosed) this.forward(structuredClone(data));
  }

  start(): void {
    this.#isStarted = true;
    for (const data of this.#queue.splice(0)) this.arrive(data);
  }

  arrive(data: unknown): void {
    if (this.remote) this.remote(data, false);
    else if (this.#isStarted) setImmediate(() => this.emit('message', { data, ports: [] }));
    else this.#queue.push(data);
  }

  /** The other end is gone. */
  lose(): void {
    if (this.remote) this.remote(undefined, true);
    this.#isClosed = true;
    setImmediate(() => this.emit('close'));
  }

  /** Gives this end away; what has arrived here goes after it. */
  handOver(remote: (data: unknown, isClosed: boolean) => void): void {
    this.remote = remote;
    for (const data of this.#queue.splice(0)) remote(data, false);
  }
}

export class MessageChannelMain {
  readonly port1 = new StandInPort();
  readonly port2 = new StandInPort();

  constructor() {
    this.port1.forward = (data) => this.port2.arrive(data);
    this.port2.forward = (data) => this.port1.arrive(data);
    partners.set(this.port1, this.port2).set(this.port2, this.port1);
  }
}

export const partners = new WeakMap<StandInPort, StandInPort>();
