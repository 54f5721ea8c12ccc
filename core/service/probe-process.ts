import { probeDevice } from '../runtime/device.ts';
import { measureSpeed, type Speed } from './measure-speed.ts';
import { ProbeCommand } from './probe.ts';

/** Entry of the process that `doctor` opens a device in: one command, one answer. */
process.once('message', (message) => {
  void answer(message).then((result) => process.send?.(result, undefined, undefined, () => process.exit(0)));
});

async function answer(message: unknown): Promise<object> {
  const { device, threads } = ProbeCommand.parse(message);
  const { available, reason } = await probeDevice(device);
  const speed: Speed[] = [];
  if (available) for (const count of threads) speed.push(await measureSpeed(device, count, () => performance.now()));
  return { available, ...(reason === undefined ? {} : { reason }), speed };
}
