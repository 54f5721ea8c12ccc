import { float32, sizeOf, type FloatTensor } from '../../base/tensor.ts';
import { fillUniform, stream } from '../../base/rng.ts';
import { openModel } from '../../train/models.ts';
import { openClient, type LocalTraining, type SharedGradients } from '../victim-gradient.ts';
import { openVictim, type Victim, type VictimOptions } from '../victim.ts';

export const oneThread = { device: 'cpu', threads: 1 } as const;

export interface ZooVictimOptions extends VictimOptions {
  readonly shape?: readonly [number, number, number];
  readonly classes?: number;
  readonly seed?: number;
}

/** A victim of the zoo; by default for small images, so that tests are quick. */
export async function zooVictim(architecture: string, options: ZooVictimOptions = {}): Promise<Victim> {
  const { shape = [1, 12, 12], classes = 10, seed = 1, ...rest } = options;
  return openVictim(await openModel({ kind: 'zoo', architecture }, 'victim', { shape, classes, seed }), rest);
}

/** Uniform pixels of a seed, [count, …shape]. */
export function someImages(seed: number, count: number, shape: readonly number[]): FloatTensor {
  const data = new Float32Array(count * sizeOf(shape));
  fillUniform(stream(seed, 'test images'), data);
  return float32([count, ...shape], data);
}

/** What a participant shares of images [N, C, H, W] and their labels. */
export async function shareOnce(
  victim: Victim,
  images: FloatTensor,
  labels: readonly number[],
  local?: LocalTraining,
): Promise<SharedGradients> {
  const options = { batchSize: labels.length, session: oneThread, ...(local ? { local } : {}) };
  const client = await openClient(victim, options);
  const { shared } = await client.share(images, labels);
  await client.close();
  return shared;
}
