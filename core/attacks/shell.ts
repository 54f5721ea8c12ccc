import { WorkbenchError } from '../base/errors.ts';
import { stream } from '../base/rng.ts';
import type { Attack } from './attack.ts';
import type { AttackDeclaration, Norm } from './catalogue-kinds.ts';
import { topClass } from '../metrics/classification.ts';
import {
  ballTolerance,
  isInBall,
  perturbationNorms,
  projectRow,
  takeRows,
  type PerturbationNorms,
} from './perturbation.ts';
import {
  isWanted,
  openLedger,
  raiseFlag,
  rowOf,
  type AttackTask,
  type Flag,
  type Pulse,
  type ThreatModel,
} from './task.ts';
import type { Victim } from './victim.ts';

export interface ShellInput {
  readonly victim: Victim;
  /** [N, C, H, W] in the victim's bounds. */
  readonly images: Float32Array;
  /** True classes [N]. */
  readonly labels: ArrayLike<number>;
  /** Numbers of the images in the whole set: they name the random streams. */
  readonly indices: ArrayLike<number>;
  readonly threat: ThreatModel;
  readonly seed: number;
  /** 1 for images that need no attack any more, because another one has fooled them. */
  readonly isFallen?: Uint8Array;
  readonly sources?: readonly Victim[];
}

/** What became of one image under one attack at one epsilon. */
export interface SampleRecord extends PerturbationNorms {
  readonly index: number;
  readonly label: number;
  readonly target: number | null;
  /** Class of the clean image. */
  readonly predicted: number;
  /** 'skipped': another attack had fooled it already. */
  readonly verdict: 'already-wrong' | 'skipped' | 'fooled' | 'robust';
  /** Class of the image that is returned. */
  readonly reached: number;
  readonly firstSuccessStep: number | null;
  /** Looks at the model: all that an average is taken over count. */
  readonly queries: number;
  readonly gradientCalls: number;
  readonly flags: readonly Flag[];
}

export interface AttackOutcome {
  readonly records: readonly SampleRecord[];
  /** [N, C, H, W]: adversarial, the last attempt, or the clean image where nothing was tried. Inside ball and box. */
  readonly images: Float32Array<ArrayBuffer>;
  /** Of those images [N, K]. */
  readonly logits: Float32Array<ArrayBuffer>;
  /** Of the clean images [N, K]. */
  readonly cleanLogits: Float32Array;
}

/**
 * Runs an attack on the images that the model gets right, and believes nothing it says: what comes back is clipped to the
 * ball, then to the box, measured in float64 and shown to the model again.
 * @throws PARAM_INVALID, DATA_UNSUITABLE
 */
export async function* runAttack(attack: Attack, input: ShellInput): AsyncGenerator<Pulse, AttackOutcome, void> {
  const { victim, images, threat } = input;
  const { size, classes } = victim;
  const count = images.length / size;
  refuseMisuse(attack.declaration, input);
  const cleanLogits = await victim.logits(images);
  const predicted = Int32Array.from({ length: count }, (_, i) => topClass(cleanLogits, i, classes));
  const isRight = (i: number): boolean => predicted[i] === input.labels[i];
  const alive = Array.from({ length: count }, (_, i) => i).filter((i) => isRight(i) && input.isFallen?.[i] !== 1);
  const result = Float32Array.from(images);
  const logits = Float32Array.from(cleanLogits);
  const task = taskOf(attack, input, alive, cleanLogits);
  if (alive.length > 0) {
    yield* attack.run(task);
    for (let i = 0; i < alive.length; i++) {
      const image = rowOf(task.ledger.images, size, i);
      const clean = rowOf(task.images, size, i);
      if (!image.every(Number.isFinite)) {
        image.set(clean);
        raiseFlag(task.ledger, i, 'nan-gradient');
      }
      projectRow(image, clean, task.norm, task.epsilon, victim.bounds);
      result.set(image, alive[i]! * size);
    }
    const shown = await victim.logits(task.ledger.images);
    alive.forEach((sample, i) => logits.set(rowOf(shown, classes, i), sample * classes));
  }
  const place = new Map(alive.map((sample, i) => [sample, i]));
  // A perturbation that is too large for the ball is no false claim of an attack that was never told of it.
  // Behind a random defence other draws decide than those that an attack has seen.
  const isTold = victim.looks === 1 && (attack.declaration.aim === 'bounded' || threat.epsilon === Infinity);
  const isClaimed = (i: number): boolean => isTold && task.ledger.isFooled[i] === 1;
  const records = Array.from({ length: count }, (_, sample): SampleRecord => {
    const i = place.get(sample);
    const sizes = perturbationNorms(rowOf(result, size, sample), rowOf(images, size, sample));
    const reached = topClass(logits, sample, classes);
    // An answer that is not a number names no class.
    const isAnswer = !rowOf(logits, classes, sample).some(Number.isNaN);
    const isFooled =
      i !== undefined && isAnswer && isWanted(task, i, reached) && isInBall(sizes, threat.norm, threat.epsilon);
    if (i !== undefined && !isFooled && isClaimed(i)) raiseFlag(task.ledger, i, 'unconfirmed');
    return {
      ...sizes,
      index: input.indices[sample] ?? sample,
      label: input.labels[sample] ?? 0,
      target: threat.targets?.[sample] ?? null,
      predicted: predicted[sample] ?? 0,
      verdict: i !== undefined ? (isFooled ? 'fooled' : 'robust') : isRight(sample) ? 'skipped' : 'already-wrong',
      reached,
      firstSuccessStep: i !== undefined && isFooled ? (task.ledger.firstStep[i] ?? null) : null,
      queries: i === undefined ? 0 : victim.looks * (task.ledger.queries[i] ?? 0),
      gradientCalls: i === undefined ? 0 : victim.looks * (task.ledger.gradientCalls[i] ?? 0),
      flags: i === undefined ? [] : [...(task.ledger.flags.get(i) ?? [])].sort(),
    };
  });
  return { records, images: result, logits, cleanLogits };
}

function taskOf(attack: Attack, input: ShellInput, alive: readonly number[], cleanLogits: Float32Array): AttackTask {
  const { victim, threat, seed } = input;
  const images = takeRows(input.images, victim.size, alive);
  const { targets } = threat;
  return {
    victim,
    count: alive.length,
    images,
    cleanLogits: takeRows(cleanLogits, victim.classes, alive),
    labels: Int32Array.from(alive, (i) => input.labels[i] ?? 0),
    targets: targets && Int32Array.from(alive, (i) => targets[i] ?? 0),
    norm: threat.norm,
    epsilon: threat.epsilon,
    ledger: openLedger(images, alive.length),
    sources: input.sources ?? [],
    random: (sample, restart) =>
      stream(seed, 'attack', attack.declaration.id, input.indices[alive[sample]!] ?? sample, restart),
  };
}

function refuseMisuse(declaration: AttackDeclaration, { victim, images, labels, threat }: ShellInput): void {
  const { title, norms, aim, canTarget, fewestClasses } = declaration;
  const [low, high] = victim.bounds;
  const { norm, epsilon, targets } = threat;
  const refuse = (message: string, hint: string): never => {
    throw new WorkbenchError('PARAM_INVALID', `${title}: ${message}`, { hint });
  };
  if (!norms.includes(norm))
    refuse(`expected a norm of ${norms.join(', ')}, got ${norm}`, 'Choose another attack or norm.');
  if (!(epsilon > 0))
    refuse(`expected epsilon above 0, got ${epsilon}`, 'With 0 the robust accuracy is the clean one.');
  if (epsilon > largestUseful(norm, victim.size, high - low) && (epsilon !== Infinity || aim !== 'minimal')) {
    refuse(
      `expected epsilon of at most ${largestUseful(norm, victim.size, high - low)}, which reaches the whole box, got ${epsilon}`,
      `Pixels lie between ${low} and ${high}; 8/255 is written as 0.0314.`,
    );
  }
  if (victim.classes < fewestClasses)
    refuse(
      `its loss needs ${fewestClasses} classes, the model has ${victim.classes}`,
      'Use the cross-entropy attacks.',
    );
  if (targets && !canTarget) refuse('it cannot be told which class to reach', 'Leave the targets away.');
  for (let i = 0; i < labels.length; i++) {
    refuseClass('label', labels[i]!, i, victim.classes);
    if (targets) refuseClass('target', targets[i]!, i, victim.classes);
    if (targets && targets[i] === labels[i])
      refuse(`the target of image ${i} is its own class ${labels[i]}`, 'Choose a wrong class.');
  }
  refuseOutside(images, victim);
}

/** The distance between opposite corners of the box. */
function largestUseful(norm: Norm, size: number, width: number): number {
  switch (norm) {
    case 'linf':
      return width;
    case 'l2':
      return width * Math.sqrt(size);
    case 'l1':
      return width * size;
    case 'l0':
      return size;
  }
}

function refuseClass(what: string, value: number, image: number, classes: number): void {
  if (Number.isInteger(value) && value >= 0 && value < classes) return;
  throw new WorkbenchError(
    'DATA_UNSUITABLE',
    `The ${what} of image ${image}: expected a class from 0 to ${classes - 1}, got ${value}`,
    { hint: 'The labels must be those that the model was trained with.' },
  );
}

function refuseOutside(images: Float32Array, { bounds: [low, high], size }: Victim): void {
  for (let i = 0; i < images.length; i++) {
    const value = images[i]!;
    // Rounding on the way through 8 bits and back; the box clips it away.
    if (value >= low - ballTolerance && value <= high + ballTolerance) continue;
    throw new WorkbenchError(
      'DATA_UNSUITABLE',
      `Image ${Math.floor(i / size)}: expected pixels from ${low} to ${high}, got ${value}`,
      { hint: 'Mean and deviation belong to the model, not to the images; or give the true bounds.' },
    );
  }
}
