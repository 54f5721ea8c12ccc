import { topClass } from '../metrics/classification.ts';
import { perturbationNorms, takeRows } from './perturbation.ts';
import { isWanted, keepSuccess, raiseFlag, rowOf, survivors, type AttackTask, type Pulse } from './task.ts';

export interface SearchOptions {
  readonly rounds: number;
  readonly steps: number;
  readonly firstConstant: number;
  readonly confidence: number;
}

/** One minimisation of distance + c · max(0, margin + κ), for some images at once. */
export interface Minimiser {
  /** Begins a round. */
  begin(): void;
  /** Writes the images to look at [n, size]. */
  show(out: Float32Array): void;
  /**
   * Takes a step. `push` [n] is c where the margin has not been reached and 0 where it has; `gradient` [n, size] of the margin
   * that the attacker wants to grow, at the images that were shown.
   */
  step(push: Float64Array, gradient: Float32Array, index: number): void;
  /** What is minimised beside the margin, for each image shown. */
  distances(shown: Float32Array): Float64Array;
}

/**
 * Carlini & Wagner's search for the constant c: halve the interval after a success, multiply by ten until there is one. The
 * smallest adversarial image of all rounds is kept. A round of an image ends early when its loss has not fallen by a
 * ten-thousandth over a tenth of the steps.
 */
export async function* searchConstant(
  task: AttackTask,
  options: SearchOptions,
  open: (samples: readonly number[]) => Minimiser,
): AsyncGenerator<Pulse, void, void> {
  const { victim, ledger } = task;
  const { size, classes } = victim;
  const samples = survivors(task);
  const count = samples.length;
  const lower = new Float64Array(count);
  const upper = new Float64Array(count).fill(Infinity);
  const constant = new Float64Array(count).fill(options.firstConstant);
  const best = new Float64Array(count).fill(Infinity);
  const objective = task.targets ? 'margin-targeted' : 'margin';
  const minimiser = open(samples);
  const shown = new Float32Array(count * size);
  const window = Math.max(1, Math.floor(options.steps / 10));
  for (let round = 0; round < options.rounds; round++) {
    minimiser.begin();
    const hasWon = new Uint8Array(count);
    const lossBefore = new Float64Array(count).fill(Infinity);
    const isOver = new Uint8Array(count);
    let active = Array.from({ length: count }, (_, i) => i);
    for (let step = 0; step < options.steps && active.length > 0; step++) {
      minimiser.show(shown);
      const images = takeRows(shown, size, active);
      const { logits, losses, gradient } = await victim.gradient(objective, images, {
        labels: active.map((i) => task.labels[samples[i]!] ?? 0),
        ...(task.targets ? { targets: active.map((i) => task.targets?.[samples[i]!] ?? 0) } : {}),
      });
      const push = new Float64Array(count);
      const gradients = new Float32Array(count * size);
      const distances = minimiser.distances(shown);
      active.forEach((i, row) => {
        const sample = samples[i]!;
        ledger.queries[sample]! += 1;
        ledger.gradientCalls[sample]! += 1;
        const margin = losses[row]!;
        if (Number.isNaN(margin)) raiseFlag(ledger, sample, 'nan-gradient');
        if (margin >= options.confidence && isWanted(task, sample, topClass(logits, row, classes))) {
          hasWon[i] = 1;
          const image = rowOf(images, size, row);
          const distance = perturbationNorms(image, rowOf(task.images, size, sample))[task.norm];
          if (distance < best[i]!) {
            best[i] = distance;
            keepSuccess(task, sample, image, round * options.steps + step);
          }
        }
        const missing = Math.max(0, options.confidence - margin);
        push[i] = missing > 0 ? constant[i]! : 0;
        gradients.set(rowOf(gradient, size, row), i * size);
        if (step % window !== window - 1) return;
        const loss = distances[i]! + constant[i]! * missing;
        isOver[i] = Number(loss > 0.9999 * lossBefore[i]!);
        lossBefore[i] = loss;
      });
      minimiser.step(push, gradients, step);
      active = active.filter((i) => isOver[i] === 0);
      if (step % 5 === 4) yield { done: round * options.steps + step, total: options.rounds * options.steps };
    }
    for (let i = 0; i < count; i++) {
      if (hasWon[i] === 1) upper[i] = Math.min(upper[i]!, constant[i]!);
      else lower[i] = Math.max(lower[i]!, constant[i]!);
      constant[i] = upper[i] === Infinity ? constant[i]! * 10 : (lower[i]! + upper[i]!) / 2;
    }
  }
}
