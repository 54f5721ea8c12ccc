/** Entry of the forked job process: puts the real methods and devices into the host, nothing else. */
import { outliveTerminal } from '../runtime/terminal-signals.ts';

outliveTerminal();

/** Only now what takes a second to load. */
async function run(): Promise<void> {
  const { registry } = await import('../methods/registry.ts');
  const { resolveDevice } = await import('../runtime/device.ts');
  const { hashExternalFiles: hashWeights } = await import('../inspect/external-files.ts');
  const { filesBeside } = await import('../data/detect.ts');
  const { hashFiles } = await import('./inputs.ts');
  const { runJobProcess } = await import('./process-port.ts');
  await runJobProcess({ registry, inputs: { resolveDevice, hashWeights, filesBeside, ...hashFiles } });
}

void run();
