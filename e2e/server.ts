import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface Served {
  /** With the one-time token. */
  readonly url: string;
  close(): Promise<void>;
  /** As a power cut would do it. */
  kill(): Promise<void>;
}

const root = fileURLToPath(new URL('..', import.meta.url));
const address = /http:\/\/127\.0\.0\.1:\d+\/#token=\S+/;

/** `palimpsest serve` on a free port, in a process of its own, on the workspace given. */
export async function serve(
  workspace: string,
  { port = 0, enter = [] }: { readonly port?: number; readonly enter?: readonly string[] } = {},
): Promise<Served> {
  const args = ['cli/main.ts', 'serve', '--port', String(port), '--workspace', workspace];
  const [program = '', ...before] = enter.concat(process.execPath);
  const child = spawn(program, [...before, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const said: string[] = [];
  const url = await Promise.race([
    addressIn(child, said),
    once(child, 'exit').then(([code]) => {
      throw new Error(`palimpsest serve ended with code ${String(code)}:\n${said.join('\n')}`);
    }),
  ]);
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  };
  return { url, close: async () => end('SIGTERM'), kill: async () => end('SIGKILL') };
}

async function addressIn(child: ChildProcess, said: string[]): Promise<string> {
  return new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        said.push(line);
        const [found] = address.exec(line) ?? [];
        if (found !== undefined) resolve(found);
      });
    }
  });
}
