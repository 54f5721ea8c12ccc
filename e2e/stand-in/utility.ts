import { spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { openFrames, partners, type Frame, type StandInPort } from './ports.ts';

interface ForkOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly execArgv?: readonly string[];
  readonly serviceName?: string;
}

const runner = fileURLToPath(new URL('./utility-process.ts', import.meta.url));
let nextPort = 1;

/** Electron's UtilityProcess on a plain Node process: its id is known only once it runs, its end is a bare number. */
class StandInUtility extends EventEmitter {
  readonly #child: ChildProcess;
  readonly #send: (frame: Frame) => void;
  readonly #given = new Map<number, StandInPort>();
  readonly serviceName: string;
  pid: number | undefined;
  /** What the system held it to when it was told the first thing, as proc(5) says it; empty elsewhere. */
  limitsAtFirst: string | undefined;

  constructor(module: string, { env, execArgv = [], serviceName = '' }: ForkOptions) {
    super();
    this.serviceName = serviceName;
    this.#child = spawn(process.execPath, [...execArgv, runner, module], {
      env: env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const pipe = this.#child.stdio[3];
    if (!(pipe instanceof Duplex)) throw new Error('Expected a pipe');
    this.#send = openFrames(pipe, ({ port, data }) => {
      if (port === 0) this.emit('message', data);
      else this.#given.get(port)?.forward(data);
    });
    this.#child.on('spawn', () => {
      this.pid = this.#child.pid;
      this.emit('spawn');
    });
    this.#child.on('exit', (code, signal) => {
      this.pid = undefined;
      for (const port of this.#given.values()) partners.get(port)?.lose();
      this.emit('exit', code ?? signalNumbers[signal ?? ''] ?? 1);
    });
  }

  get stdout() {
    return this.#child.stdout;
  }

  get stderr() {
    return this.#child.stderr;
  }

  postMessage(data: unknown, ports: readonly StandInPort[] = []): void {
    this.limitsAtFirst ??= limitsOf(this.pid);
    const ids = ports.map((port) => {
      const id = nextPort++;
      this.#given.set(id, port);
      return id;
    });
    this.#send({ port: 0, data, ports: ids });
    ports.forEach((port, i) => {
      port.handOver((each, isClosed) => this.#send({ port: ids[i] ?? 0, data: each, isClosed }));
    });
  }

  kill(): boolean {
    return this.#child.kill();
  }
}

function limitsOf(pid: number | undefined): string {
  const path = `/proc/${pid ?? 0}/limits`;
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/** As the system tells them. */
const signalNumbers: Readonly<Record<string, number>> = { SIGABRT: 6, SIGKILL: 9, SIGSEGV: 11, SIGTERM: 15 };

export const utilities: StandInUtility[] = [];

export const utilityProcess = {
  fork(module: string, _args: readonly string[] = [], options: ForkOptions = {}): StandInUtility {
    const utility = new StandInUtility(module, options);
    utilities.push(utility);
    return utility;
  },
};
