import { implement, type Implementation } from './attack.ts';
import { apgdL1, slide } from './catalogue-auto.ts';
import { topClass } from '../metrics/classification.ts';
import { isInBall, perturbationNorms, projectRow } from './perturbation.ts';
import { isWanted, keepSuccess, raiseFlag, rowOf, survivors, type AttackTask, type Pulse } from './task.ts';

/** An image under way in the l1 ball. */
interface Walker {
  readonly sample: number;
  readonly clean: Float32Array;
  image: Float32Array;
  stepSize: number;
  /** Share of the pixels that a step moves. */
  density: number;
  best: Float32Array;
  bestLoss: number;
  bestGradient: Float32Array;
  /** Pixels that differed at the last checkpoint. */
  lastCount: number;
}

/** Normal numbers around each image, in the ball. */
function startWalkers(task: AttackTask, restart: number, epsilon: number): Walker[] {
  const { victim, images } = task;
  return survivors(task).map((sample) => {
    const clean = Float32Array.from(rowOf(images, victim.size, sample));
    const rng = task.random(sample, restart);
    const image = clean.map((value) => value + rng.normal());
    projectRow(image, clean, 'l1', epsilon, victim.bounds);
    return {
      sample,
      clean,
      image,
      stepSize: epsilon,
      density: 0.2,
      best: image,
      bestLoss: -Infinity,
      bestGradient: new Float32Array(victim.size),
      lastCount: victim.size,
    };
  });
}

/** Looks at all walkers, keeps what succeeds, and gives those that go on with their gradients. */
async function look(
  task: AttackTask,
  walkers: readonly Walker[],
  step: number,
): Promise<{ walker: Walker; gradient: Float32Array }[]> {
  const { victim, ledger, targets, labels, epsilon } = task;
  const images = new Float32Array(walkers.length * victim.size);
  walkers.forEach(({ image }, i) => images.set(image, i * victim.size));
  const { logits, losses, gradient } = await victim.gradient(
    targets ? 'cross-entropy-targeted' : 'cross-entropy',
    images,
    {
      labels: walkers.map(({ sample }) => labels[sample] ?? 0),
      ...(targets ? { targets: walkers.map(({ sample }) => targets[sample] ?? 0) } : {}),
    },
  );
  return walkers.flatMap((walker, i) => {
    const { sample, image, clean } = walker;
    ledger.queries[sample]! += 1;
    ledger.gradientCalls[sample]! += 1;
    const isInside = isInBall(perturbationNorms(image, clean), 'l1', epsilon);
    if (isInside && isWanted(task, sample, topClass(logits, i, victim.classes))) {
      keepSuccess(task, sample, image, step);
      return [];
    }
    const row = Float32Array.from(rowOf(gradient, victim.size, i));
    if (row.some(Number.isNaN)) {
      raiseFlag(ledger, sample, 'nan-gradient');
      row.fill(0);
    }
    if (losses[i]! > walker.bestLoss) {
      walker.bestLoss = losses[i]!;
      walker.best = image;
      walker.bestGradient = row;
    }
    if (isInside) ledger.images.set(image, sample * victim.size);
    return [{ walker, gradient: row }];
  });
}

/** Moves along the signs of the largest gradients, altogether by the step in l1, and back into the ball. */
function move(task: AttackTask, walker: Walker, gradient: Float32Array, epsilon: number): void {
  const sizes = gradient.map(Math.abs).sort();
  const least = sizes[Math.min(sizes.length - 1, Math.floor((1 - walker.density) * sizes.length))]!;
  let count = 0;
  for (const value of gradient) if (Math.abs(value) >= least && value !== 0) count++;
  const share = walker.stepSize / Math.max(count, 1);
  const next = walker.image.map((value, j) => {
    const slope = gradient[j]!;
    return Math.abs(slope) >= least ? value + share * Math.sign(slope) : value;
  });
  projectRow(next, walker.clean, 'l1', epsilon, task.victim.bounds);
  walker.image = next;
}

/** One radius of APGD in l1 (Croce & Hein 2021, algorithm 1). */
async function* adapt(
  task: AttackTask,
  walkers: readonly Walker[],
  epsilon: number,
  steps: number,
  pulse: Pulse,
): AsyncGenerator<Pulse, Walker[], void> {
  const { size } = task.victim;
  const window = Math.max(1, Math.floor(0.04 * steps));
  let alive = [...walkers];
  for (let step = 0; step <= steps && alive.length > 0; step++) {
    const seen = await look(task, alive, pulse.done + step);
    for (const { walker, gradient } of seen) {
      let slope = gradient;
      if (step > 0 && step % window === 0) {
        const count = perturbationNorms(walker.best, walker.clean).l0;
        const isSparser = count / Math.max(walker.lastCount, 1) < 0.95;
        walker.density = count / size / 1.5;
        walker.stepSize = isSparser ? epsilon : Math.max(walker.stepSize / 1.5, epsilon / 10);
        walker.lastCount = count;
        if (isSparser) {
          walker.image = walker.best;
          slope = walker.bestGradient;
        }
      }
      if (step < steps) move(task, walker, slope, epsilon);
    }
    alive = seen.map(({ walker }) => walker);
    yield { done: pulse.done + step, total: pulse.total };
  }
  return alive;
}

/** Attacks in the l1 ball, whose steepest steps are sparse. */
export const sparseAttacks: readonly Implementation[] = [
  implement(slide, async function* (task, { steps, restarts, relativeStep, density }) {
    for (let restart = 0; restart < restarts; restart++) {
      let walkers = startWalkers(task, restart, task.epsilon);
      for (let step = 0; step <= steps && walkers.length > 0; step++) {
        const seen = await look(task, walkers, step);
        for (const { walker, gradient } of seen) {
          walker.density = density;
          walker.stepSize = relativeStep * task.epsilon;
          if (step < steps) move(task, walker, gradient, task.epsilon);
        }
        walkers = seen.map(({ walker }) => walker);
        yield { done: restart * steps + step, total: restarts * steps };
      }
    }
  }),
  implement(apgdL1, async function* (task, { steps, restarts }) {
    const first = Math.ceil(0.3 * steps);
    const parts = [first, first, Math.max(1, steps - 2 * first)];
    for (let restart = 0; restart < restarts; restart++) {
      let walkers = startWalkers(task, restart, 3 * task.epsilon);
      let done = restart * steps;
      for (const [i, part] of parts.entries()) {
        const epsilon = (3 - i) * task.epsilon;
        for (const walker of walkers) {
          const image = Float32Array.from(i === 0 ? walker.image : walker.best);
          projectRow(image, walker.clean, 'l1', epsilon, task.victim.bounds);
          const count = perturbationNorms(image, walker.clean).l0;
          Object.assign(walker, {
            image,
            best: image,
            bestLoss: -Infinity,
            stepSize: epsilon,
            density: count / task.victim.size / 1.5,
            lastCount: count,
          });
        }
        walkers = yield* adapt(task, walkers, epsilon, part, { done, total: restarts * steps });
        done += part;
      }
    }
  }),
];
