import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A network namespace of the kernel with nothing in it but the loopback. */
export interface Loopback {
  /** Command and arguments that run what follows them inside. */
  readonly enter: readonly string[];
  /** A program that runs the one given inside. */
  wrap(program: string): string;
  /** How often something inside wanted to send where there is no way to. */
  triedToLeave(): number;
  close(): Promise<void>;
}

const raise = `ip link set lo up 2>/dev/null || perl -e 'socket(S,2,2,0) && ioctl(S,0x8914,pack("a16s","lo",0x49)) or die $!'`;
const own = process.getuid?.() === 0 ? ['--net'] : ['--net', '--user', '--map-root-user'];

/** Why no namespace can be made here; undefined where one can. */
export function whyNoNamespace(): string | undefined {
  if (process.platform !== 'linux') return `${process.platform} has no network namespaces`;
  const { status, stderr, error } = spawnSync('unshare', [...own, 'sh', '-c', raise], { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
}

export async function openLoopback(): Promise<Loopback> {
  const holder = spawn('unshare', [...own, 'sh', '-c', `${raise}; echo up; exec sleep 3600`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  const { pid } = holder;
  const namespaces = [`--net=/proc/${pid}/ns/net`];
  if (own.includes('--user')) namespaces.push(`--user=/proc/${pid}/ns/user`, '--preserve-credentials');
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-net-'));
  return {
    enter: ['nsenter', ...namespaces],
    wrap(program) {
      const script = join(folder, 'run');
      writeFileSync(script, `#!/bin/sh\nexec nsenter ${namespaces.join(' ')} ${program} "$@"\n`);
      chmodSync(script, 0o755);
      return script;
    },
    triedToLeave: () => noRoutes(readFileSync(`/proc/${pid}/net/snmp`, 'utf8')),
    async close() {
      const ended = once(holder, 'exit');
      holder.kill('SIGKILL');
      await ended;
    },
  };
}

/** `Ip: … OutNoRoutes …`, a line of names and one of numbers. */
function noRoutes(snmp: string): number {
  const [names = [], numbers = []] = snmp
    .split('\n')
    .filter((line) => line.startsWith('Ip:'))
    .map((line) => line.split(' '));
  const count = Number(numbers[names.indexOf('OutNoRoutes')]);
  if (Number.isNaN(count)) throw new Error('The kernel does not count what has no route');
  return count;
}
