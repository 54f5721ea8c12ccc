import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

/** A process, told from a later one with the same number by when it started. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly host: string;
  /** Boot id and start time on Linux; null where the system does not tell. */
  readonly start: string | null;
}

export function identify(pid: number): ProcessIdentity {
  return { pid, host: hostname(), start: startOf(pid) ?? null };
}

/** False for a process of another host: whoever asks holds the writer's lock, so that host's writer is gone. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.host !== hostname()) return false;
  if (identity.start !== null) return startOf(identity.pid) === identity.start;
  try {
    process.kill(identity.pid, 0);
    return true;
  } catch (thrown) {
    // Alive, but another user's.
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}

/** Ends a process at once; one that cannot be told from a later one with its number is left alone. */
export function endProcess(identity: ProcessIdentity): void {
  if (identity.start === null || !isAlive(identity)) return;
  try {
    process.kill(identity.pid, 'SIGKILL');
  } catch {
    // It went by itself meanwhile, or is another user's.
    return;
  }
}

/** Fields 3 (state) and 22 (start in clock ticks) of proc(5) stat, after the name in brackets. */
function startOf(pid: number): string | undefined {
  if (process.platform !== 'linux') return undefined;
  const stat = read(`/proc/${pid}/stat`);
  const boot = read('/proc/sys/kernel/random/boot_id');
  if (stat === undefined) return undefined;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const isGone = fields[0] === 'Z' || fields[0] === 'X';
  return isGone ? undefined : `${boot?.trim() ?? ''}:${fields[19] ?? ''}`;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process is gone, or there is no /proc: both mean "not known".
    return undefined;
  }
}
