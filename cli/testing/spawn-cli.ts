import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

export interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunningCli {
  readonly pid: number;
  signal(name: NodeJS.Signals): void;
  /** Stops reading, as `| head` does. */
  closePipe(which: 'stdout' | 'stderr'): void;
  /** Resolves when standard error holds `text`; rejects when the process ends first. */
  said(text: string): Promise<void>;
  /** The first line of standard output; rejects when the process ends before it. */
  firstLine(): Promise<string>;
  readonly ended: Promise<Ended>;
}

export interface Cli {
  /** A folder that goes away with the test; the command runs in it. */
  readonly folder: string;
  start(...argv: readonly string[]): RunningCli;
  /** The same where no file may grow beyond so many blocks (512 or 1,024 bytes, as the shell counts). */
  startBelow(blocks: number, ...argv: readonly string[]): RunningCli;
  run(...argv: readonly string[]): Promise<Ended>;
  /** Runs with --json, which must give exactly one line on standard output, and parses it. */
  json(...argv: readonly string[]): Promise<{ code: number | null; result: Record<string, unknown>; err: string }>;
}

const mains = { real: new URL('../main.ts', import.meta.url), toy: new URL('./toy-main.ts', import.meta.url) };

/** The command line as a process of its own, in a folder of its own. */
export function spawnCli(t: TestContext, which: keyof typeof mains = 'toy'): Cli {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-cli-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const command = [process.execPath, fileURLToPath(mains[which])];
  const start = (...argv: readonly string[]): RunningCli => launch([...command, ...argv], folder, t);
  const run = (...argv: readonly string[]): Promise<Ended> => start(...argv).ended;
  return {
    folder,
    start,
    startBelow: (blocks, ...argv) =>
      launch(['sh', '-c', `ulimit -f ${blocks} && exec "$0" "$@"`, ...command, ...argv], folder, t),
    run,
    async json(...argv) {
      const { code, out, err } = await run(...argv, '--json');
      const lines = out.split('\n');
      if (lines.length !== 2 || lines[1] !== '') throw new Error(`expected one line, got ${out}\n${err}`);
      return { code, err, result: JSON.parse(out) as Record<string, unknown> };
    },
  };
}

function launch([program = '', ...argv]: readonly string[], cwd: string, t: TestContext): RunningCli {
  const { PALIMPSEST_WORKSPACE: _, NODE_OPTIONS: __, ...env } = process.env;
  const child = spawn(program, argv, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => void child.kill('SIGKILL'));
  let out = '';
  let err = '';
  const waiting = new Set<() => void>();
  const line = Promise.withResolvers<string>();
  // Whoever does not ask for it must not hear of it.
  line.promise.catch(() => {});
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
    const [first, ...more] = out.split('\n');
    if (first !== undefined && more.length > 0) line.resolve(first);
  });
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString();
    for (const look of waiting) look();
  });
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code) => {
      line.reject(new Error(`ended without a line: ${err}`));
      resolve({ code, out, err });
    });
  });
  return {
    pid: child.pid ?? 0,
    signal: (name) => void child.kill(name),
    closePipe: (which) => void child[which].destroy(),
    ended,
    firstLine: () => line.promise,
    said(text) {
      const found = Promise.withResolvers<void>();
      const look = (): void => {
        if (err.includes(text)) found.resolve();
      };
      waiting.add(look);
      look();
      void ended.then(() => found.reject(new Error(`ended without "${text}": ${err}`)));
      return found.promise;
    },
  };
}
