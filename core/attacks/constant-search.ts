import { float32 } from '../base/tensor.ts';
import { constantLoop, movedBy, type ConstantRule } from './constant-loop.ts';
import type { Rows } from './loop-rows.ts';
import { columnRows, keepNearest, nearestState, searchRows } from './row-search.ts';
import { survivors, type AttackTask, type Pulse } from './task.ts';
import { oneHot } from './victim.ts';

export interface SearchOptions {
  readonly rounds: number;
  readonly steps: number;
  readonly firstConstant: number;
  readonly confidence: number;
}

/** One way to minimise distance + c · max(0, κ − margin). */
export interface Minimiser {
  readonly attack: ConstantRule['attack'];
  readonly sparsity: number;
  /** Where the first of what it moves starts, for all images [N, C, H, W]; the others start there, too, or at zero. */
  readonly start: Readonly<Record<string, Float32Array>>;
  /** The two numbers that a step is fed with. */
  scalarsAt(step: number): readonly [number, number];
}

/**
 * Carlini & Wagner's search for the constant c: halve the interval after a success, multiply by ten until there is one. The
 * smallest adversarial image of all rounds is kept. A round of an image ends early when its loss has not fallen by a
 * ten-thousandth over a tenth of the steps.
 */
export async function* searchConstant(
  task: AttackTask,
  options: SearchOptions,
  minimiser: Minimiser,
): AsyncGenerator<Pulse, void, void> {
  const { victim, targets, labels, count, norm } = task;
  const { rounds, steps } = options;
  const { attack, sparsity } = minimiser;
  const dims = victim.model.shape;
  const samples = survivors(task);
  const lower = new Float64Array(count);
  const upper = new Float64Array(count).fill(Infinity);
  const constant = columnRows(count, options.firstConstant);
  const rule: ConstantRule = { attack, sparsity, norm: norm === 'l1' ? 'l1' : 'l2', isTargeted: targets !== undefined };
  const nearest = nearestState(task);
  const window = Math.max(1, Math.floor(steps / 10));
  for (let round = 0; round < rounds; round++) {
    const moved = movedBy[attack].map((name): [string, Rows] => [
      name,
      { data: Float32Array.from(minimiser.start[name] ?? new Float32Array(task.images.length)), dims },
    ]);
    const won = columnRows(count, 0);
    yield* searchRows(task, {
      key: `constant ${JSON.stringify(rule)}`,
      definition: constantLoop(rule, victim.model, victim.bounds),
      samples,
      steps,
      state: {
        ...Object.fromEntries(moved),
        ...nearest,
        won,
        lossBefore: columnRows(count, Infinity),
        done: columnRows(count, 0),
      },
      shared: {
        clean: { data: task.images, dims },
        goal: { data: oneHot(targets ?? labels, victim.classes), dims: [victim.classes] },
        constant,
      },
      scalars: { confidence: options.confidence },
      feeds: (from, many) => ({
        scalars: float32(
          [many, 3],
          Array.from({ length: many }, (_, k) => [
            ...minimiser.scalarsAt(from + k),
            Number((from + k) % window === window - 1),
          ]).flat(),
        ),
      }),
      calls: { queries: 1, gradients: 1 },
      stepsBefore: round * steps,
      pulse: { done: round * steps, total: rounds * steps },
    });
    for (const i of samples) {
      const now = constant.data[i] ?? 0;
      if (won.data[i] === 1) upper[i] = Math.min(upper[i]!, now);
      else lower[i] = Math.max(lower[i]!, now);
      constant.data[i] = upper[i] === Infinity ? now * 10 : (lower[i]! + upper[i]!) / 2;
    }
  }
  keepNearest(task, samples, nearest);
}
