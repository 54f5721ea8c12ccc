import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { app } from 'electron';
import type { Child, ChildOptions } from '../core/runtime/child-process.ts';

type Limits = NonNullable<ChildOptions['limits']>;
type Usage = Awaited<ReturnType<Child['usage']>>;

const gib = 2 ** 30;

/**
 * Has the system itself hold a process of ours to limits. Electron starts utility processes without any, so they are set
 * from outside, by prlimit(1) of util-linux, before the process is told what to work on. Other systems have no such
 * thing: there only the watch over the process holds it.
 */
export async function holdTo(pid: number, { memoryBytes, cpuSeconds }: Limits): Promise<void> {
  if (process.platform !== 'linux') return;
  // Beside what it is allowed, a process sets aside several hundred MB that it never touches.
  const data = Math.ceil(memoryBytes + gib);
  // The first limit ends it with a signal that says so, the second for certain.
  const limits = [`--data=${data}:${data}`, `--cpu=${cpuSeconds}:${cpuSeconds + 5}`, '--core=0:0'];
  try {
    await promisify(execFile)('prlimit', ['--pid', String(pid), ...limits]);
  } catch {
    // No util-linux, or the process has ended: the watch is there in any case.
    return;
  }
}

/** What a process of ours takes, as Electron knows it on every system, Windows too. */
export function usageOfOurs(pid: number): Usage {
  const metric = app.getAppMetrics().find((each) => each.pid === pid);
  if (!metric) return undefined;
  const { cpu, memory } = metric;
  return { memoryBytes: memory.workingSetSize * 1024, cpuMs: (cpu.cumulativeCPUUsage ?? 0) * 1000 };
}
