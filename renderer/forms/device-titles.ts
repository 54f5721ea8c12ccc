import type { DeviceName } from '../../core/contract/run.ts';

export const deviceTitles: Readonly<Record<DeviceName, string>> = {
  auto: 'Best there is',
  cpu: 'Processor',
  cuda: 'CUDA',
  webgpu: 'WebGPU',
};
