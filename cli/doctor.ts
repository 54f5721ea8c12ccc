import { existsSync, statfsSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { toWorkbenchError, type ErrorCode, type ErrorShape } from '../core/base/errors.ts';
import { deviceNames } from '../core/contract/run.ts';
import { writeDurably } from '../core/jobs/durable-files.ts';
import { describeMachine } from '../core/jobs/environment.ts';
import { formatBytes, formatNumber } from '../core/report/format.ts';
import type { DeviceProbe } from '../core/runtime/device.ts';
import type { Speed } from '../core/service/measure-speed.ts';
import { probeApart } from '../core/service/probe.ts';
import { exitCodeOf, exitCodes } from './exit-codes.ts';
import { debugFlag, helpFlag, jsonFlag, workspaceFlag } from './flags.ts';
import { noteError } from './report-error.ts';
import { columnsOf, paint } from './terminal.ts';
import type { Surroundings, Verb } from './verb.ts';
import { withReader, withWorkspace, workspaceFolder } from './workspace.ts';

interface WorkspaceFacts {
  readonly dir: string;
  readonly isWritable: boolean;
  readonly runs: number | null;
  readonly freeBytes: number | null;
  readonly problem?: ErrorShape;
}

export const doctor: Verb = {
  name: 'doctor',
  summary: 'Check this machine: versions, devices, workspace, speed.',
  help: {
    title: 'palimpsest doctor: check this machine, and measure its speed for about a second per device.',
    usage: ['palimpsest doctor [flags]'],
    examples: [
      ['what can this machine do?', 'palimpsest doctor'],
      ['the same for a program', 'palimpsest doctor --json'],
    ],
    text: ['The speed is kept in the workspace (machine.json), where cost estimates find it.'],
    groups: [{ title: 'Flags', flags: [workspaceFlag, jsonFlag, debugFlag, helpFlag] }],
  },
  positionals: [],
  async run(args, here) {
    const machine = describeMachine();
    const { defaultThreads, deviceHints } = await import('../core/runtime/device.ts');
    const threads = defaultThreads();
    const { devices: probes, speed } = await probeAll(threads);
    const devices = probes.map((probe) => (probe.available ? probe : { ...probe, hint: deviceHints[probe.device] }));
    // 0 or a number without meaning where nothing but the machine limits this process.
    const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
    const memory = { totalBytes: Math.min(limit, totalmem()), freeBytes: freemem() };
    let workspace: WorkspaceFacts;
    try {
      workspace = await withWorkspace(args, here, async ({ dir }) => {
        const kept = { schema: 'palimpsest.machine/1', measuredAtMs: here.now(), ...machine, speed };
        writeDurably(join(dir, 'machine.json'), [new TextEncoder().encode(`${JSON.stringify(kept, null, 2)}\n`)]);
        return { dir, isWritable: true, runs: null, freeBytes: freeBytes(dir) };
      });
      const runs = await withReader(args, here, (reader) => reader.listRuns().length);
      workspace = { ...workspace, runs };
    } catch (thrown) {
      const problem = toWorkbenchError(thrown).toShape();
      const dir = workspaceFolder(args, here);
      workspace = { dir, isWritable: false, runs: null, freeBytes: freeBytes(dir), problem };
    }
    const result = { ...machine, threads, memory, devices, speed, workspace };
    if (args.isOn('json')) here.terminal.write(`${JSON.stringify(result)}\n`);
    else here.terminal.write(findingsText(result, here));
    if (workspace.problem) noteError(here.terminal, workspace.problem);
    const problem = problemOf(devices, workspace);
    return problem === undefined ? exitCodes.ok.code : exitCodeOf(problem);
  },
};

/** What keeps every run from working. A workspace that another run is writing into is fine. */
function problemOf(devices: readonly DeviceProbe[], { problem }: WorkspaceFacts): ErrorCode | undefined {
  if (!devices.some((probe) => probe.available)) return 'DEVICE_UNAVAILABLE';
  return problem?.code === 'WORKSPACE_BUSY' ? undefined : problem?.code;
}

/** One after the other: they would slow each other down. */
async function probeAll(threads: number): Promise<{ devices: DeviceProbe[]; speed: Speed[] }> {
  const devices: DeviceProbe[] = [];
  const speed: Speed[] = [];
  for (const name of deviceNames) {
    if (name === 'auto') continue;
    const probed = await probeApart(name, name === 'cpu' ? [...new Set([1, threads])] : [1]);
    devices.push(probed.device);
    speed.push(...probed.speed);
  }
  return { devices, speed };
}

/** Free space on the disk of a folder that may not be there yet. */
function freeBytes(dir: string): number | null {
  let path = dir;
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  try {
    const disk = statfsSync(path);
    return disk.bavail * disk.bsize;
  } catch {
    // Some network disks do not say.
    return null;
  }
}

interface Findings extends ReturnType<typeof describeMachine> {
  readonly threads: number;
  readonly memory: { readonly totalBytes: number; readonly freeBytes: number };
  readonly devices: readonly (DeviceProbe & { readonly hint?: string })[];
  readonly speed: readonly Speed[];
  readonly workspace: WorkspaceFacts;
}

function findingsText(found: Findings, { terminal }: Surroundings): string {
  const { memory, workspace } = found;
  const yes = paint(terminal, 'green', 'yes');
  const rows: (readonly string[])[] = [
    ['Palimpsest', found.palimpsest],
    ['Node', found.node],
    ['onnxruntime', found.onnxruntime],
    ['System', found.platform],
    ['Processor', `${found.cpu}, ${found.cores} cores for this process`],
    ['Threads', `${found.threads} unless --threads says otherwise`],
    ['Memory', `${formatBytes(memory.totalBytes)}, ${formatBytes(memory.freeBytes)} free`],
    ...found.devices.flatMap(({ device, available, reason, hint }) => [
      [`Device ${device}`, available ? yes : `no: ${firstLine(reason ?? 'unknown reason')}`],
      ...(hint === undefined ? [] : [['', hint]]),
    ]),
    ...found.speed.map(({ device, threads, gflops }) => [
      `Speed ${device}`,
      `${formatNumber(Math.round(gflops * 10) / 10)} GFLOP/s${device === 'cpu' ? ` on ${threads} ${threads === 1 ? 'thread' : 'threads'}` : ''}`,
    ]),
    ['Workspace', workspace.dir],
    [
      '',
      [
        workspace.isWritable ? 'writable' : 'cannot be written now',
        ...(workspace.runs === null ? [] : [`${workspace.runs} ${workspace.runs === 1 ? 'run' : 'runs'}`]),
        ...(workspace.freeBytes === null ? [] : [`${formatBytes(workspace.freeBytes)} free on its disk`]),
      ].join(', '),
    ],
  ];
  return `${columnsOf(rows).join('\n')}\n`;
}

function firstLine(text: string): string {
  const line = text.split('\n')[0] ?? '';
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
