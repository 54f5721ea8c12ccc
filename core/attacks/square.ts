import type { Rng } from '../base/rng.ts';
import { implement, type Implementation } from './attack.ts';
import { square } from './catalogue-auto.ts';
import { topClass } from './perturbation.ts';
import { bumps, drawCorner, moveMass, type SquareForm } from './square-l2.ts';
import { isWanted, keepSuccess, rowOf, survivors, type AttackTask, type Pulse } from './task.ts';

/** Share of the image that a square covers after `queries`, of a schedule made for 10,000 (Andriushchenko et al. 2020). */
export function squareShare(first: number, query: number): number {
  const halvings = [10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000].filter((from) => query > from).length;
  return first / 2 ** halvings;
}

interface SquareOptions {
  readonly queries: number;
  readonly firstShare: number;
  readonly restarts: number;
  readonly rescalesSchedule: boolean;
  readonly reachesEdges: boolean;
}

/** Random squares, kept where they bring the model closer to a mistake; no gradient. */
export const squareAttacks: readonly Implementation[] = [
  implement(square, async function* (task, options) {
    for (let restart = 0; restart < options.restarts; restart++) yield* searchSquares(task, options, restart);
  }),
];

async function* searchSquares(
  task: AttackTask,
  { queries, firstShare, restarts, rescalesSchedule, reachesEdges }: SquareOptions,
  restart: number,
): AsyncGenerator<Pulse, void, void> {
  const { victim, ledger } = task;
  const { size } = victim;
  const [, height, width] = victim.model.shape;
  const form = { shape: victim.model.shape, bounds: victim.bounds, epsilon: task.epsilon, reachesEdges };
  let alive = survivors(task);
  const streams = new Map<number, Rng>(alive.map((sample) => [sample, task.random(sample, restart)]));
  const losses = new Float64Array(task.count).fill(Infinity);
  const best = Float32Array.from(task.images);
  // Query 0 shows the start.
  for (let query = 0; query <= queries && alive.length > 0; query++) {
    const shown = new Float32Array(alive.length * size);
    const share = squareShare(firstShare, rescalesSchedule ? Math.floor(((query - 1) / queries) * 10_000) : query - 1);
    const side = Math.round(Math.sqrt(share * height * width));
    alive.forEach((sample, i) => {
      const rng = streams.get(sample) ?? task.random(sample, restart);
      const row = rowOf(shown, size, i);
      row.set(rowOf(best, size, sample));
      const clean = rowOf(task.images, size, sample);
      if (task.norm === 'l2') {
        if (query === 0) bumps(row, clean, form, rng);
        else moveMass(row, clean, form, Math.max(3, side), rng);
      } else if (query === 0) stripes(row, clean, form, rng);
      else paintSquare(row, clean, form, Math.max(1, side), rng);
    });
    const logits = await victim.logits(shown);
    const still: number[] = [];
    alive.forEach((sample, i) => {
      ledger.queries[sample]! += 1;
      const row = rowOf(shown, size, i);
      if (isWanted(task, sample, topClass(logits, i, victim.classes))) {
        keepSuccess(task, sample, row, query);
        return;
      }
      still.push(sample);
      const loss = lossOf(task, sample, rowOf(logits, victim.classes, i));
      if (!(loss < losses[sample]!)) return;
      losses[sample] = loss;
      best.set(row, sample * size);
    });
    alive = still;
    if (query % 10 === 0) yield { done: restart * queries + query, total: restarts * queries };
  }
  for (const sample of alive) ledger.images.set(rowOf(best, size, sample), sample * size);
}

/** Margin of the label, or with a target its cross-entropy: what the released code minimises. */
function lossOf({ targets, labels }: AttackTask, sample: number, logits: Float32Array): number {
  if (!targets) {
    const own = logits[labels[sample]!]!;
    let other = -Infinity;
    for (let k = 0; k < logits.length; k++) if (k !== labels[sample] && logits[k]! > other) other = logits[k]!;
    return own - other;
  }
  const top = Math.max(...logits);
  let sum = 0;
  for (const value of logits) sum += Math.exp(value - top);
  return Math.log(sum) + top - logits[targets[sample]!]!;
}

const sign = (rng: Rng): number => (rng.uniform() < 0.5 ? -1 : 1);

/** Vertical stripes of ±ε, one pixel wide, each channel by itself. */
function stripes(row: Float32Array, clean: Float32Array, { shape, bounds, epsilon }: SquareForm, rng: Rng): void {
  const [channels, height, width] = shape;
  const [low, high] = bounds;
  for (let c = 0; c < channels; c++) {
    for (let x = 0; x < width; x++) {
      const step = epsilon * sign(rng);
      for (let y = 0; y < height; y++) {
        const at = (c * height + y) * width + x;
        row[at] = Math.min(Math.max(clean[at]! + step, low), high);
      }
    }
  }
}

/** One square of ±2ε on what is there, brought back into ball and box. */
function paintSquare(row: Float32Array, clean: Float32Array, form: SquareForm, side: number, rng: Rng): void {
  const { shape, bounds, epsilon } = form;
  const [channels, height, width] = shape;
  const [low, high] = bounds;
  const s = Math.min(side, height, width);
  const { top, left } = drawCorner(form, s, rng);
  for (let c = 0; c < channels; c++) {
    const step = 2 * epsilon * sign(rng);
    for (let y = top; y < top + s; y++) {
      for (let x = left; x < left + s; x++) {
        const at = (c * height + y) * width + x;
        const inBall = Math.min(Math.max(row[at]! + step, clean[at]! - epsilon), clean[at]! + epsilon);
        row[at] = Math.min(Math.max(inBall, low), high);
      }
    }
  }
}
