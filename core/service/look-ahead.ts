import { WorkbenchError } from '../base/errors.ts';
import type { Preflight } from '../contract/preflight.ts';
import type { RunRequest } from '../contract/run.ts';
import { registry as usual, type MethodRegistry } from '../methods/registry.ts';
import { resolveDevice } from '../runtime/device.ts';

/**
 * What a method says of a run before it starts.
 * @throws METHOD_UNKNOWN for one that does not look ahead, and what the models and data are refused for
 */
export async function lookAhead(
  { methodId, params, models, data, device, threads }: RunRequest,
  now: () => number,
  registry: MethodRegistry = usual,
): Promise<Preflight> {
  const method = Object.hasOwn(registry, methodId) ? registry[methodId] : undefined;
  if (!method?.lookAhead) {
    throw new WorkbenchError('METHOD_UNKNOWN', `The method "${methodId}" does not look ahead`, {
      hint: 'Start the run: it says itself what it finds.',
    });
  }
  const signal = new AbortController().signal;
  return method.lookAhead(params, { models, data, device: await resolveDevice(device), threads, signal, now });
}
