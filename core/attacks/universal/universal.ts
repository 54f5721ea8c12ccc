import { fillNormal, stream } from '../../base/rng.ts';
import { argmaxRows } from '../../metrics/classification.ts';
import type { Pulse } from '../task.ts';
import type { Victim } from '../victim.ts';

/** A search for one perturbation [C, H, W] of all images; ends with it. ‖·‖∞ is at most epsilon. */
export type UniversalRun = AsyncGenerator<Pulse, Float32Array<ArrayBuffer>, void>;

/** Images [N, C, H, W] with `perturbation` [C, H, W] added to each, clipped to the box. */
export function perturbed(
  images: Float32Array,
  perturbation: Float32Array,
  [low, high]: readonly [number, number],
): Float32Array<ArrayBuffer> {
  const size = perturbation.length;
  return Float32Array.from(images, (value, at) => Math.min(high, Math.max(low, value + perturbation[at % size]!)));
}

/** Share of the images whose answer changes; `before` [N] are the answers without. */
export async function foolingRate(
  victim: Victim,
  images: Float32Array,
  before: Int32Array,
  perturbation: Float32Array,
): Promise<number> {
  const logits = await victim.logits(perturbed(images, perturbation, victim.bounds));
  const after = argmaxRows(logits, victim.classes);
  return before.reduce((count, answer, i) => count + Number(answer !== after[i]), 0) / before.length;
}

export const answersOf = async (victim: Victim, images: Float32Array): Promise<Int32Array<ArrayBuffer>> =>
  argmaxRows(await victim.logits(images), victim.classes);

/** The control: epsilon times the signs of normal noise. */
export function signNoise(size: number, epsilon: number, seed: number): Float32Array<ArrayBuffer> {
  const noise = new Float32Array(size);
  fillNormal(stream(seed, 'universal', 'noise'), noise);
  return noise.map((value) => (value < 0 ? -epsilon : epsilon));
}
