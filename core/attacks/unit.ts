import type { Attack } from './attack.ts';
import type { Norm } from './catalogue-kinds.ts';
import { isInBall, takeRows, type PerturbationNorms } from './perturbation.ts';
import { runAttack, type AttackOutcome, type SampleRecord } from './shell.ts';
import { rowOf, type Pulse } from './task.ts';
import type { Victim } from './victim.ts';

/** Attacks on some images of a set, at several epsilons of one norm: the piece of work that a run is cut into. */
export interface AttackUnit {
  readonly victim: Victim;
  /** [N, C, H, W]. */
  readonly images: Float32Array;
  readonly labels: ArrayLike<number>;
  /** Numbers of the images in the whole set. */
  readonly indices: ArrayLike<number>;
  /** In the order in which they run. */
  readonly attacks: readonly Attack[];
  readonly norm: Norm;
  readonly epsilons: readonly number[];
  readonly targets?: ArrayLike<number>;
  readonly seed: number;
  /**
   * Attack only what no attack before, at this epsilon or a smaller one, has fooled: the figures of the worst case are the
   * same, those of single attacks are not. Controls neither spare images nor are spared them.
   */
  readonly survivorsOnly: boolean;
  /** 1 for images that something before has fooled at the smallest epsilon: survivors are among the others. */
  readonly isFallen?: Uint8Array;
  readonly sources?: readonly Victim[];
}

/** What one attack did at one epsilon. */
export interface UnitResult extends Omit<AttackOutcome, 'cleanLogits'> {
  readonly attackId: string;
  readonly isControl: boolean;
  readonly epsilon: number;
}

export type UnitSaid =
  | { readonly type: 'pulse'; readonly attackId: string; readonly epsilon: number; readonly pulse: Pulse }
  | { readonly type: 'result'; readonly result: UnitResult };

/**
 * Runs a unit, the smallest epsilon first. An attack that looks for the smallest perturbation runs once, and its verdict at
 * each epsilon is whether what it found is small enough. Gives results as they come.
 */
export async function* runUnit(unit: AttackUnit): AsyncGenerator<UnitSaid, void, void> {
  const count = unit.labels.length;
  const isFallen = Uint8Array.from(unit.isFallen ?? new Uint8Array(count));
  const minimal = new Map<Attack, AttackOutcome>();
  for (const epsilon of [...unit.epsilons].sort((a, b) => a - b)) {
    for (const attack of unit.attacks) {
      const { id, aim, isControl = false } = attack.declaration;
      const spares = unit.survivorsOnly && !isControl;
      let outcome = minimal.get(attack);
      if (!outcome) {
        const steps = runAttack(attack, {
          victim: unit.victim,
          images: unit.images,
          labels: unit.labels,
          indices: unit.indices,
          seed: unit.seed,
          threat: {
            norm: unit.norm,
            epsilon: aim === 'minimal' ? Infinity : epsilon,
            ...(unit.targets ? { targets: unit.targets } : {}),
          },
          ...(spares ? { isFallen: Uint8Array.from(isFallen) } : {}),
          ...(unit.sources ? { sources: unit.sources } : {}),
        });
        for (;;) {
          const step = await steps.next();
          if (step.done) {
            outcome = step.value;
            break;
          }
          yield { type: 'pulse', attackId: id, epsilon, pulse: step.value };
        }
        if (aim === 'minimal') minimal.set(attack, outcome);
      }
      const { images, logits, records } =
        aim === 'minimal' ? withinEpsilon(outcome, unit, epsilon, spares ? isFallen : undefined) : outcome;
      if (!isControl) records.forEach(({ verdict }, i) => (isFallen[i]! |= Number(verdict === 'fooled')));
      yield { type: 'result', result: { attackId: id, isControl, epsilon, images, logits, records } };
    }
  }
}

/**
 * A minimal attack at one epsilon: what is too large for the ball, or has fallen meanwhile, is given back clean, so that no
 * figure of this epsilon counts a change from outside.
 */
function withinEpsilon(
  outcome: AttackOutcome,
  { victim, images: clean, norm }: AttackUnit,
  epsilon: number,
  isFallen: Uint8Array | undefined,
): AttackOutcome {
  const { size, classes } = victim;
  const images = Float32Array.from(outcome.images);
  const logits = Float32Array.from(outcome.logits);
  const records = outcome.records.map((record, i): SampleRecord => {
    const isSkipped = record.verdict === 'fooled' && isFallen?.[i] === 1;
    if (!isSkipped && isInBall(record, norm, epsilon)) return record;
    images.set(rowOf(clean, size, i), i * size);
    logits.set(rowOf(outcome.cleanLogits, classes, i), i * classes);
    const verdict = isSkipped ? 'skipped' : 'robust';
    return { ...record, ...untouched, verdict, reached: record.predicted, firstSuccessStep: null };
  });
  return { ...outcome, images, logits, records };
}

const untouched: PerturbationNorms = { linf: 0, l2: 0, l1: 0, l0: 0 };

/**
 * The adversarial images as a file of 8-bit pixels holds them: rounded to `levels` steps between the bounds, brought back
 * into the ball, and shown to the model again. What the model gets right then has not been fooled.
 */
export async function quantised(
  victim: Victim,
  images: Float32Array,
  clean: Float32Array,
  epsilon: number,
  levels = 255,
): Promise<{ readonly images: Float32Array<ArrayBuffer>; readonly logits: Float32Array<ArrayBuffer> }> {
  const [low, high] = victim.bounds;
  const step = (high - low) / levels;
  const rounded = takeRows(images, images.length, [0]);
  for (let i = 0; i < rounded.length; i++) {
    const wish = Math.round((images[i]! - low) / step);
    // Towards the clean pixel where rounding went past the ball.
    const most = Math.floor((clean[i]! + epsilon - low) / step + 1e-3);
    const least = Math.ceil((clean[i]! - epsilon - low) / step - 1e-3);
    rounded[i] = Math.min(Math.max(low + Math.min(Math.max(wish, least), most) * step, low), high);
  }
  return { images: rounded, logits: await victim.logits(rounded) };
}
