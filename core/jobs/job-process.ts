import { registry } from '../methods/registry.ts';
import { resolveDevice } from '../runtime/device.ts';
import { hashFiles } from './inputs.ts';
import { runJobProcess } from './process-port.ts';

/** Entry of the forked job process: puts the real methods and devices into the host, nothing else. */
await runJobProcess({ registry, inputs: { resolveDevice, ...hashFiles } });
