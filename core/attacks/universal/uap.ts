import { permutation, stream } from '../../base/rng.ts';
import { topClass } from '../../metrics/classification.ts';
import type { Victim } from '../victim.ts';
import { answersOf, foolingRate, perturbed, type UniversalRun } from './universal.ts';

export interface UapOptions {
  readonly epsilon: number;
  readonly seed: number;
  /** Fooling rate on the given images at which the search ends; default 0.8. */
  readonly goal?: number;
  readonly passes?: number;
  /** Likeliest classes that DeepFool looks at; default 10. */
  readonly candidates?: number;
}

const overshoot = 0.02;
const deepFoolSteps = 10;

/**
 * Moosavi-Dezfooli et al. 2017, "Universal adversarial perturbations", algorithm 1, in linf: over the shuffled images,
 * each one that v does not fool yet adds its smallest step over the nearest border (DeepFool from x + v), and v is
 * brought back to the ball. Labels are not looked at: what counts is that the answer changes. The best v of all passes.
 */
export async function* universalPerturbation(
  victim: Victim,
  images: Float32Array,
  { epsilon, seed, goal = 0.8, passes = 5, candidates = 10 }: UapOptions,
): UniversalRun {
  const { size, bounds } = victim;
  const before = await answersOf(victim, images);
  const v = new Float32Array(size);
  let best = Float32Array.from(v);
  let bestRate = 0;
  const total = passes * before.length;
  for (let pass = 0; pass < passes && bestRate < goal; pass++) {
    const order = permutation(stream(seed, 'universal', 'uap', pass), before.length);
    for (const [done, i] of order.entries()) {
      yield { done: pass * before.length + done, total };
      const image = perturbed(images.subarray(i * size, (i + 1) * size), v, bounds);
      const step = await overTheBorder(victim, image, before[i]!, candidates);
      if (!step) continue;
      for (let p = 0; p < size; p++) v[p] = Math.min(epsilon, Math.max(-epsilon, v[p]! + step[p]!));
    }
    const rate = await foolingRate(victim, images, before, v);
    if (rate > bestRate) [best, bestRate] = [Float32Array.from(v), rate];
  }
  yield { done: total, total };
  return best;
}

/**
 * DeepFool (Moosavi-Dezfooli et al. 2016) from `image` away from class `own`: the whole step with its overshoot;
 * undefined when it is there already or does not arrive.
 */
async function overTheBorder(
  victim: Victim,
  image: Float32Array,
  own: number,
  candidates: number,
): Promise<Float32Array | undefined> {
  const { size, classes } = victim;
  const sum = new Float32Array(size);
  let point = Float32Array.from(image);
  const logits = await victim.logits(point);
  if (topClass(logits, 0, classes) !== own) return undefined;
  const others = Array.from({ length: classes }, (_, k) => k)
    .filter((k) => k !== own)
    .sort((a, b) => logits[b]! - logits[a]! || a - b)
    .slice(0, Math.max(1, candidates - 1));
  for (let step = 0; step < deepFoolSteps; step++) {
    const found = await nearestBorder(victim, point, own, others);
    if (!found) return undefined;
    if (found.hasArrived) return sum.map((value) => value * (1 + overshoot));
    for (let p = 0; p < size; p++) sum[p] = sum[p]! + found.step[p]!;
    point = image.map((value, p) => value + (1 + overshoot) * sum[p]!);
  }
  const arrived = topClass(await victim.logits(point), 0, classes) !== own;
  return arrived ? sum.map((value) => value * (1 + overshoot)) : undefined;
}

/** The step |f_k − f_own| / ‖w‖² · w to the nearest linearised border, w = ∇f_k − ∇f_own. */
async function nearestBorder(victim: Victim, point: Float32Array, own: number, others: readonly number[]) {
  const { size, classes } = victim;
  const rows = others.length;
  const copies = new Float32Array(rows * size);
  const cotangents = new Float32Array(rows * classes);
  others.forEach((k, row) => {
    copies.set(point, row * size);
    cotangents[row * classes + k] = 1;
    cotangents[row * classes + own] = -1;
  });
  const { logits, gradient } = await victim.vjp(copies, cotangents);
  if (topClass(logits, 0, classes) !== own) return { hasArrived: true, step: new Float32Array(0) };
  let nearest = Infinity;
  let step: Float32Array | undefined;
  others.forEach((k, row) => {
    const w = gradient.subarray(row * size, (row + 1) * size);
    const squares = w.reduce((total, value) => total + value * value, 0);
    const gap = Math.abs(logits[k]! - logits[own]!) + 1e-6;
    if (!(squares > 0) || gap / Math.sqrt(squares) >= nearest) return;
    nearest = gap / Math.sqrt(squares);
    step = w.map((value) => (gap / squares) * value);
  });
  return step && { hasArrived: false, step };
}
