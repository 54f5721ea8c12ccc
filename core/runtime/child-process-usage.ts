import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** What a process takes from the machine. */
export interface Usage {
  /** Memory that it holds in RAM. */
  readonly memoryBytes: number;
  /** Processor time since its start, of all threads. */
  readonly cpuMs: number;
}

/** Linux counts processor time in hundredths of a second, whatever the kernel's own tick. */
const tickMs = 10;
const pageBytes = 4096;

/** undefined when the process is gone, or where the system does not tell (Windows). */
export async function usageOf(pid: number): Promise<Usage | undefined> {
  if (process.platform === 'win32') return undefined;
  return process.platform === 'linux' ? usageFromProc(pid) : usageFromPs(pid);
}

/** proc(5), /proc/PID/stat: fields 14 and 15 are processor time, 24 is resident memory. */
function usageFromProc(pid: number): Usage | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name of the program, in brackets, may itself hold blanks and brackets.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    const [user, system, pages] = [fields[11], fields[12], fields[21]].map(Number);
    if (user === undefined || system === undefined || pages === undefined) return undefined;
    return { memoryBytes: pages * pageBytes, cpuMs: (user + system) * tickMs };
  } catch {
    return undefined;
  }
}

/** The same from ps(1), which macOS has. */
export async function usageFromPs(pid: number): Promise<Usage | undefined> {
  try {
    const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=,time=', '-p', String(pid)]);
    const [kilobytes = '', time = ''] = stdout.trim().split(/\s+/);
    // [[days-]hours:]minutes:seconds[.hundredths]
    const [days, clock] = time.includes('-') ? time.split('-') : ['0', time];
    const seconds = (clock ?? '').split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
    return { memoryBytes: Number(kilobytes) * 1024, cpuMs: (seconds + Number(days) * 86_400) * 1000 };
  } catch {
    return undefined;
  }
}
