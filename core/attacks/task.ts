import type { Rng } from '../base/rng.ts';
import type { Norm } from './catalogue-kinds.ts';
import { topClass } from '../metrics/classification.ts';
import type { Victim } from './victim.ts';

/** What an attack may do to an image. */
export interface ThreatModel {
  readonly norm: Norm;
  /** Radius in the units of the bounds; Infinity asks an attack of the kind 'minimal' for its smallest perturbation. */
  readonly epsilon: number;
  /** Classes to reach, one per image; without, any wrong class counts. */
  readonly targets?: ArrayLike<number>;
}

/** Something odd that happened to one image; a run with many of these is suspect. */
export type Flag =
  /** A gradient was not finite and was taken as zero, or what was made of one was not and gave way to the clean image. */
  | 'nan-gradient'
  /** The gradient at the clean image was zero everywhere: masked, or saturated. */
  | 'zero-gradient'
  /** The attack claimed success, and the model does not confirm it on the image that is returned. */
  | 'unconfirmed'
  /** The search ended in a cycle: further steps would have repeated earlier ones. */
  | 'cycle'
  /** An image made on another model fools that one. */
  | 'fools-source';

/** What is known of the images of one task, written by the attack. Sample numbers are those of the task. */
export interface Ledger {
  /** [N, C, H, W]; the clean image until there is something to show. */
  readonly images: Float32Array<ArrayBuffer>;
  /** 1 where the attack has an adversarial image. */
  readonly isFooled: Uint8Array;
  /** Step of the first success, −1 without. */
  readonly firstStep: Int32Array;
  /** Images that were shown to the model, and gradients that were taken of it. */
  readonly queries: Float64Array;
  readonly gradientCalls: Float64Array;
  readonly flags: Map<number, Set<Flag>>;
}

export function openLedger(clean: Float32Array, count: number): Ledger {
  return {
    images: Float32Array.from(clean),
    isFooled: new Uint8Array(count),
    firstStep: new Int32Array(count).fill(-1),
    queries: new Float64Array(count),
    gradientCalls: new Float64Array(count),
    flags: new Map(),
  };
}

/** What an attack is given: images that the model still gets right. */
export interface AttackTask {
  readonly victim: Victim;
  readonly count: number;
  /** Clean images [N, C, H, W]. */
  readonly images: Float32Array;
  /** Logits of the clean images [N, K]. */
  readonly cleanLogits: Float32Array;
  /** True classes [N]. */
  readonly labels: Int32Array;
  /** Classes to reach [N]; undefined when any wrong class counts. */
  readonly targets: Int32Array | undefined;
  readonly norm: Norm;
  /** Infinity for the smallest perturbation. */
  readonly epsilon: number;
  readonly ledger: Ledger;
  /** Other models, for attacks that transfer. */
  readonly sources: readonly Victim[];
  /** The random numbers of one sample in one restart: the same whatever else is attacked beside it. */
  random(sample: number, restart: number): Rng;
}

/** Said between two calls of the engine, where a run may be stopped; `done` of `total` steps, for progress. */
export interface Pulse {
  readonly done: number;
  readonly total: number;
}

export type AttackRun<Options> = (task: AttackTask, options: Options) => AsyncGenerator<Pulse, void, void>;

/** Whether row `row` of the logits is what the attacker wants. */
export function isWanted(task: AttackTask, sample: number, predicted: number): boolean {
  return task.targets ? predicted === task.targets[sample] : predicted !== task.labels[sample];
}

export function raiseFlag({ flags }: Ledger, sample: number, flag: Flag): void {
  const known = flags.get(sample);
  if (known) known.add(flag);
  else flags.set(sample, new Set([flag]));
}

/** Keeps an adversarial image; the first one's step stays. */
export function keepSuccess({ ledger, victim }: AttackTask, sample: number, image: Float32Array, step: number): void {
  ledger.images.set(image, sample * victim.size);
  if (ledger.isFooled[sample] === 0) ledger.firstStep[sample] = step;
  ledger.isFooled[sample] = 1;
}

/** Shows images, a row for each of `samples`, to the model; those that fool it are kept, the others are the last attempt. */
export async function judgeImages(
  task: AttackTask,
  samples: readonly number[],
  images: Float32Array,
  step: number,
): Promise<void> {
  const { victim, ledger } = task;
  const logits = await victim.logits(images);
  samples.forEach((sample, i) => {
    ledger.queries[sample]! += 1;
    const image = rowOf(images, victim.size, i);
    if (isWanted(task, sample, topClass(logits, i, victim.classes))) keepSuccess(task, sample, image, step);
    else ledger.images.set(image, sample * victim.size);
  });
}

/** Samples without an adversarial image. */
export function survivors({ count, ledger }: AttackTask): number[] {
  return Array.from({ length: count }, (_, i) => i).filter((i) => ledger.isFooled[i] === 0);
}

/** Rows of one sample in an array of `width` per sample. */
export const rowOf = (rows: Float32Array, width: number, sample: number): Float32Array =>
  rows.subarray(sample * width, (sample + 1) * width);
