import { z } from 'zod';
import { startChild } from '../runtime/child-process.ts';
import type { DeviceProbe } from '../runtime/device.ts';
import type { Device } from '../runtime/session.ts';
import type { Speed } from './measure-speed.ts';

export const ProbeCommand = z.strictObject({ device: z.enum(['cpu', 'cuda', 'webgpu']), threads: z.array(z.int()) });

/** What the probe process answers: whether the device opens, and how fast it is. */
const ProbeAnswer = z.object({
  available: z.boolean(),
  reason: z.string().optional(),
  speed: z.array(z.object({ device: ProbeCommand.shape.device, threads: z.int(), gflops: z.number() })),
});

export interface Probed {
  readonly device: DeviceProbe;
  readonly speed: readonly Speed[];
}

/** Opens a device in a process of its own, because a driver may abort the process or write to its output. */
export function probeApart(device: Device, threads: readonly number[]): Promise<Probed> {
  const child = startChild(new URL('./probe-process.ts', import.meta.url));
  const result = Promise.withResolvers<Probed>();
  child.onMessage((message) => {
    const { available, reason, speed } = ProbeAnswer.parse(message);
    const text = reason?.replace('onnxruntime could not load probe: ', '').trim();
    result.resolve({ device: { device, available, ...(text === undefined ? {} : { reason: text }) }, speed });
  });
  child.onExit(({ exitCode, signal, output }) => {
    const last = output.trim().split('\n').at(-1) ?? '';
    const reason = `the process that opened it ended with ${signal ?? `exit code ${exitCode ?? 'unknown'}`}: ${last}`;
    result.resolve({ device: { device, available: false, reason }, speed: [] });
  });
  child.post({ device, threads });
  return result.promise;
}
