import { readFileSync, statfsSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { DeviceFacts, SpeedFacts, type MachineFacts } from '../contract/machine.ts';
import { deviceNames } from '../contract/run.ts';
import { writeDurably } from '../jobs/durable-files.ts';
import { describeMachine } from '../jobs/environment.ts';
import { defaultThreads, deviceHints } from '../runtime/device.ts';
import { probeApart } from './probe.ts';

/** `machine.json` of a workspace, which `palimpsest doctor` writes, too. */
const Measured = z.object({
  measuredAtMs: z.number(),
  cpu: z.string(),
  speed: z.array(SpeedFacts),
  devices: z.array(DeviceFacts).default([]),
});

export function machineFacts(workspaceDir: string, runs: number): MachineFacts {
  // 0 or a number without meaning where nothing but the machine limits this process.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  const measured = readMeasured(workspaceDir);
  return {
    ...describeMachine(),
    threads: defaultThreads(),
    memory: { totalBytes: Math.min(limit, totalmem()), freeBytes: freemem() },
    workspace: { dir: workspaceDir, runs, freeBytes: freeBytes(workspaceDir) },
    measured: measured ? { atMs: measured.measuredAtMs, devices: measured.devices, speed: measured.speed } : null,
  };
}

/** What was measured on the processor, most threads first, for estimates; empty when nothing was. */
export function measuredSpeeds(workspaceDir: string): readonly SpeedFacts[] {
  const onCpu = readMeasured(workspaceDir)?.speed.filter(({ device }) => device === 'cpu') ?? [];
  return onCpu.toSorted((a, b) => b.threads - a.threads);
}

/** Opens every device apart and measures it, one after the other: they would slow each other down. */
export async function measureMachine(workspaceDir: string, now: () => number): Promise<void> {
  const threads = defaultThreads();
  const devices: DeviceFacts[] = [];
  const speed: SpeedFacts[] = [];
  for (const name of deviceNames) {
    if (name === 'auto') continue;
    const probed = await probeApart(name, name === 'cpu' ? [...new Set([1, threads])] : [1]);
    devices.push(probed.device.available ? probed.device : { ...probed.device, hint: deviceHints[name] });
    speed.push(...probed.speed);
  }
  const kept = { schema: 'palimpsest.machine/1', measuredAtMs: now(), ...describeMachine(), speed, devices };
  writeDurably(join(workspaceDir, 'machine.json'), [new TextEncoder().encode(`${JSON.stringify(kept, null, 2)}\n`)]);
}

/** undefined when nothing was measured, or on another processor. */
function readMeasured(workspaceDir: string): z.infer<typeof Measured> | undefined {
  try {
    const text = readFileSync(join(workspaceDir, 'machine.json'), 'utf8');
    const { data } = Measured.safeParse(JSON.parse(text));
    return data?.cpu === describeMachine().cpu ? data : undefined;
  } catch {
    // Not there, or not ours: it can be measured again.
    return undefined;
  }
}

function freeBytes(dir: string): number | null {
  try {
    const disk = statfsSync(dir);
    return disk.bavail * disk.bsize;
  } catch {
    // Some network disks do not say.
    return null;
  }
}
