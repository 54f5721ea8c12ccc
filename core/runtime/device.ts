import { availableParallelism } from 'node:os';
import { WorkbenchError } from '../base/errors.ts';
import { float32 } from '../base/tensor.ts';
import { GraphBuilder } from '../autodiff/builder.ts';
import type { DeviceName } from '../contract/run.ts';
import { compile, type Device } from './session.ts';

export interface DeviceProbe {
  readonly device: Device;
  readonly available: boolean;
  /** Why not, in onnxruntime's words. */
  readonly reason?: string;
}

/** What to do where a device is missing. */
export const deviceHints: Readonly<Record<Device, string>> = {
  cpu: 'The CPU provider is part of onnxruntime-node; run `npm ci` again.',
  cuda: 'Install the CUDA provider with `npm run gpu:cuda` (Linux x64, CUDA 13 with cuDNN 9), or use --device cpu.',
  webgpu:
    'WebGPU needs a Vulkan, Metal or Direct3D 12 driver; on Linux install libvulkan1 and the driver of the card, or use --device cpu.',
};

/** Opens a one-node session on the device: the only proof that it works. */
export async function probeDevice(device: Device): Promise<DeviceProbe> {
  const g = new GraphBuilder();
  g.output('y', g.relu(g.input('x', 'float32', [1])));
  try {
    const session = await compile(g.build('probe'), { device, threads: 1 });
    await session.run({ x: float32([1], [1]) });
    await session.close();
    return { device, available: true };
  } catch (thrown) {
    return { device, available: false, reason: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/**
 * The device a run will use. 'auto' is CUDA where it works, else the CPU; a device asked for by name and missing is
 * DEVICE_UNAVAILABLE, never a silent CPU run.
 */
export async function resolveDevice(name: DeviceName): Promise<Device> {
  if (name === 'cpu') return 'cpu';
  if (name === 'auto') return (await probeDevice('cuda')).available ? 'cuda' : 'cpu';
  const probe = await probeDevice(name);
  if (probe.available) return name;
  throw new WorkbenchError(
    'DEVICE_UNAVAILABLE',
    `Device "${name}" was asked for but cannot be opened: ${probe.reason ?? 'unknown reason'}`,
    {
      hint: deviceHints[name],
    },
  );
}

/** Threads used when none are asked for: one per core that this process may use. */
export const defaultThreads = (): number => availableParallelism();
