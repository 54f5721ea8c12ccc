import type { AttackAccess } from './catalogue-kinds.ts';
import { topClass } from '../metrics/classification.ts';
import { takeRows } from './perturbation.ts';
import { prepareAttack } from './registry.ts';
import { runAttack, type SampleRecord } from './shell.ts';
import type { Victim } from './victim.ts';

/** A reason to doubt an evaluation (Carlini et al. 2019, "On evaluating adversarial robustness"; AutoAttack's flags). */
export interface Suspicion {
  readonly kind:
    | 'black-box-stronger'
    | 'noise-stronger'
    | 'not-monotone'
    | 'more-steps-weaker'
    | 'zero-gradients'
    | 'nan-gradients'
    | 'saturated'
    | 'unbounded-fails'
    | 'random-output'
    | 'probabilities'
    | 'unconfirmed';
  readonly message: string;
}

/** One attack at one epsilon, as the search for suspicions needs it. */
export interface Observation {
  readonly attackId: string;
  readonly access: AttackAccess;
  readonly isControl: boolean;
  readonly epsilon: number;
  readonly robustAccuracy: number;
  readonly records: readonly SampleRecord[];
}

/** How much a figure may be on the wrong side before it is a reason to doubt: AutoAttack's 0.2 points. */
const slack = 0.002;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** What is odd about figures that were measured on all images, not on survivors only. */
export function suspicionsOf(observations: readonly Observation[]): Suspicion[] {
  const found: Suspicion[] = [];
  const add = (kind: Suspicion['kind'], message: string): void => void found.push({ kind, message });
  for (const epsilon of new Set(observations.map((each) => each.epsilon))) {
    const here = observations.filter((each) => each.epsilon === epsilon);
    const white = here.filter(({ access, isControl }) => access === 'white-box' && !isControl);
    const best = Math.min(...white.map(({ robustAccuracy }) => robustAccuracy));
    if (white.length === 0) continue;
    for (const { attackId, access, isControl, robustAccuracy } of here) {
      if (access === 'white-box' || robustAccuracy >= best - slack) continue;
      const kind = isControl ? 'noise-stronger' : 'black-box-stronger';
      add(
        kind,
        `At epsilon ${epsilon}, ${attackId} leaves ${percent(robustAccuracy)} standing and the best attack that sees gradients ${percent(best)}: gradients may be masked.`,
      );
    }
    const of = (id: string): number | undefined => here.find(({ attackId }) => attackId === id)?.robustAccuracy;
    const [single, iterated] = [of('fgsm'), of('pgd') ?? of('bim')];
    if (single !== undefined && iterated !== undefined && iterated > single + slack) {
      add(
        'more-steps-weaker',
        `At epsilon ${epsilon}, one step leaves ${percent(single)} standing and many steps ${percent(iterated)}: more steps should never help the model.`,
      );
    }
  }
  found.push(...notMonotone(observations), ...oddGradients(observations));
  return found;
}

function notMonotone(observations: readonly Observation[]): Suspicion[] {
  return [...new Set(observations.map(({ attackId }) => attackId))].flatMap((attackId) => {
    const curve = observations
      .filter((each) => each.attackId === attackId && !each.isControl)
      .toSorted((a, b) => a.epsilon - b.epsilon);
    return curve.slice(1).flatMap((next, i): Suspicion[] => {
      const before = curve[i]!;
      if (next.robustAccuracy <= before.robustAccuracy + slack) return [];
      return [
        {
          kind: 'not-monotone',
          message: `${attackId} leaves ${percent(before.robustAccuracy)} standing at epsilon ${before.epsilon} and ${percent(next.robustAccuracy)} at ${next.epsilon}: a larger ball should not help the model.`,
        },
      ];
    });
  });
}

/** What the images themselves showed, whichever of them an attack was given. */
export function oddGradients(observations: readonly Pick<Observation, 'records'>[]): Suspicion[] {
  const sayings = [
    ['zero-gradient', 'zero-gradients', 'a gradient of zero where the attack starts'],
    ['nan-gradient', 'nan-gradients', 'a gradient that is not a number'],
    ['unconfirmed', 'unconfirmed', 'a success that the model does not confirm'],
  ] as const;
  return sayings.flatMap(([flag, kind, what]): Suspicion[] => {
    const images = new Set(
      observations.flatMap(({ records }) =>
        records.filter(({ flags }) => flags.includes(flag)).map(({ index }) => index),
      ),
    );
    if (images.size === 0) return [];
    return [{ kind, message: `${images.size} image${images.size > 1 ? 's' : ''} had ${what}.` }];
  });
}

/** Clean images that are shown to the model again and again before an evaluation. */
const looked = 256;

/**
 * Looks at the first clean images, 256 at the most, before an evaluation: outputs that change, that are probabilities, or
 * that are saturated.
 */
export async function examineVictim(victim: Victim, images: Float32Array): Promise<Suspicion[]> {
  const found: Suspicion[] = [];
  const { classes } = victim;
  const few = images.subarray(0, looked * victim.size);
  const first = await victim.logits(few);
  let largest = 0;
  for (let again = 0; again < 4; again++) {
    const other = await victim.logits(few);
    for (const distance of rowDistances(first, other, classes)) largest = Math.max(largest, distance);
  }
  if (largest > 1e-4) {
    found.push({
      kind: 'random-output',
      message: `The same images gave logits that differ by ${largest.toExponential(1)} of their length: the model is random, and a verdict needs averages over many looks.`,
    });
  }
  const count = first.length / classes;
  let [isProbability, saturated] = [true, 0];
  for (let i = 0; i < count; i++) {
    const row = first.subarray(i * classes, (i + 1) * classes);
    const sum = row.reduce((a, b) => a + b, 0);
    isProbability &&= Math.abs(sum - 1) < 1e-5 && row.every((value) => value > -1e-5 && value < 1 + 1e-5);
    const sorted = Array.from(row).sort((a, b) => b - a);
    // exp(−17) is where 1 − p is lost in float32: the gradient of cross-entropy is 0 or rounding.
    if (sorted[0]! - sorted[1]! > 17) saturated++;
  }
  if (isProbability) {
    found.push({
      kind: 'probabilities',
      message: 'The output looks like probabilities: attacks need the logits before the softmax.',
    });
  }
  if (saturated > 0.1 * count) {
    found.push({
      kind: 'saturated',
      message: `${percent(saturated / count)} of the first ${count} images have logits so far apart that the gradient of cross-entropy is lost in float32: prefer the margin and DLR losses.`,
    });
  }
  return found;
}

/** Images that the ball without bounds is tried on, and steps. */
const [triedImages, triedSteps] = [8, 20];

/**
 * In a ball as wide as the box every image lies, of whatever class: an attack that follows gradients and leaves images
 * standing there follows nothing (Carlini et al. 2019, section 4.1: unbounded attacks reach 100 %). Tried on the first images
 * that are right, from the images themselves: a random start would be another image already.
 */
export async function examineGradients(
  victim: Victim,
  images: Float32Array,
  labels: ArrayLike<number>,
  seed: number,
): Promise<Suspicion[]> {
  const few = images.subarray(0, 8 * triedImages * victim.size);
  const logits = await victim.logits(few);
  const right = Array.from({ length: few.length / victim.size }, (_, i) => i)
    .filter((i) => topClass(logits, i, victim.classes) === labels[i])
    .slice(0, triedImages);
  if (right.length === 0) return [];
  const [low, high] = victim.bounds;
  const attack = runAttack(prepareAttack('pgd', { steps: triedSteps, relativeStep: 0.1, randomStart: false }), {
    victim,
    images: takeRows(few, victim.size, right),
    labels: right.map((i) => labels[i] ?? 0),
    indices: right,
    threat: { norm: 'linf', epsilon: high - low },
    seed,
  });
  let step = await attack.next();
  while (!step.done) step = await attack.next();
  const standing = step.value.records.filter(({ verdict }) => verdict === 'robust').length;
  if (standing === 0) return [];
  return [
    {
      kind: 'unbounded-fails',
      message: `${standing} of ${right.length} images stand against ${triedSteps} steps of PGD that may change every pixel to anything: gradients are masked or do not lead to other classes.`,
    },
  ];
}

/** ‖a/‖a‖ − b/‖b‖‖ by row, as AutoAttack measures it. */
function rowDistances(a: Float32Array, b: Float32Array, width: number): number[] {
  return Array.from({ length: a.length / width }, (_, row) => {
    const [x, y] = [a.subarray(row * width, (row + 1) * width), b.subarray(row * width, (row + 1) * width)];
    const length = (v: Float32Array): number => Math.hypot(...v) + 1e-10;
    const [p, q] = [length(x), length(y)];
    return Math.hypot(...x.map((value, i) => value / p - y[i]! / q));
  });
}
