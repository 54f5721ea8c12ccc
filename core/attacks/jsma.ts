import { rankedTargets } from './apgd.ts';
import { implement } from './attack.ts';
import { jsma } from './catalogue-minimal.ts';
import { topClass } from '../metrics/classification.ts';
import { takeRows } from './perturbation.ts';
import { isWanted, keepSuccess, rowOf, survivors, type AttackTask } from './task.ts';

interface Open {
  readonly sample: number;
  readonly target: number;
  readonly image: Float32Array;
  /** Pixels that may still change. */
  readonly free: Set<number>;
  isStuck: boolean;
}

/**
 * Jacobian-based saliency map attack (Papernot et al. 2016, algorithm 3): the pair of pixels that raises the target most
 * while it lowers all other classes, a pair at a time.
 */
export const jsmaAttack = implement(jsma, async function* (task, { theta, gamma, searched }) {
  const { victim, ledger, targets } = task;
  const {
    size,
    classes,
    bounds: [low, high],
  } = victim;
  const step = theta * (high - low);
  const pairs = Math.max(1, Math.floor((gamma * size) / 2));
  const ranked = rankedTargets(task);
  let open: Open[] = survivors(task).map((sample) => {
    const image = Float32Array.from(rowOf(task.images, size, sample));
    const free = new Set([...image.keys()].filter((i) => (step > 0 ? image[i]! < high : image[i]! > low)));
    return { sample, target: targets?.[sample] ?? ranked[sample]?.[0] ?? 0, image, free, isStuck: false };
  });
  for (let pair = 0; pair < pairs && open.length > 0; pair++) {
    const images = new Float32Array(open.length * size);
    open.forEach(({ image }, i) => images.set(image, i * size));
    const toTarget = await victim.vjp(images, cotangents(open, classes, true));
    const toOthers = await victim.vjp(images, cotangents(open, classes, false));
    open.forEach((each, i) => {
      ledger.queries[each.sample]! += 2;
      ledger.gradientCalls[each.sample]! += 2;
      const alpha = rowOf(toTarget.gradient, size, i);
      const beta = rowOf(toOthers.gradient, size, i);
      const best = bestPair(each.free, alpha, beta, Math.sign(step), searched);
      each.isStuck = best === undefined;
      for (const pixel of best ?? []) {
        each.image[pixel] = Math.min(Math.max(each.image[pixel]! + step, low), high);
        if (each.image[pixel] === (step > 0 ? high : low)) each.free.delete(pixel);
      }
    });
    open = await openAfterLook(task, open, pair);
    yield { done: pair, total: pairs };
  }
});

async function openAfterLook(task: AttackTask, open: readonly Open[], step: number): Promise<Open[]> {
  const { victim, ledger } = task;
  const all = new Float32Array(open.length * victim.size);
  open.forEach(({ image }, i) => all.set(image, i * victim.size));
  const logits = await victim.logits(takeRows(all, victim.size, Array.from(open.keys())));
  return open.filter(({ sample, image, isStuck }, i) => {
    ledger.queries[sample]! += 1;
    if (isWanted(task, sample, topClass(logits, i, victim.classes))) {
      keepSuccess(task, sample, image, step);
      return false;
    }
    ledger.images.set(image, sample * victim.size);
    return !isStuck;
  });
}

/** One-hot of the targets, or everything but them. */
function cotangents(open: readonly Open[], classes: number, isTarget: boolean): Float32Array {
  const rows = new Float32Array(open.length * classes).fill(isTarget ? 0 : 1);
  open.forEach(({ target }, i) => {
    rows[i * classes + target] = isTarget ? 1 : 0;
  });
  return rows;
}

/** The pair with the largest −αβ where α, the target's slope, helps and β, that of all others, does not. */
function bestPair(
  free: ReadonlySet<number>,
  alpha: Float32Array,
  beta: Float32Array,
  sign: number,
  searched: number,
): readonly [number, number] | undefined {
  const score = (i: number): number => sign * (alpha[i]! - beta[i]!);
  const pixels = [...free].sort((i, j) => score(j) - score(i)).slice(0, searched);
  const helps = Float64Array.from(pixels, (i) => sign * alpha[i]!);
  const harms = Float64Array.from(pixels, (i) => sign * beta[i]!);
  let [first, second, largest] = [-1, -1, 0];
  for (let p = 0; p < pixels.length; p++) {
    for (let q = p + 1; q < pixels.length; q++) {
      const a = helps[p]! + helps[q]!;
      const b = harms[p]! + harms[q]!;
      if (a <= 0 || b >= 0 || -a * b <= largest) continue;
      largest = -a * b;
      [first, second] = [p, q];
    }
  }
  return first < 0 ? undefined : [pixels[first]!, pixels[second]!];
}
