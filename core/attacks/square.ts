import type { Rng } from '../base/rng.ts';
import { implement, type Implementation } from './attack.ts';
import { square } from './catalogue-auto.ts';
import { topClass } from '../metrics/classification.ts';
import { bumps, drawCorner, moveMass, type SquareForm } from './square-l2.ts';
import { limitsOf, searchInLoops, type Limits, type SquareRun } from './square-loop.ts';
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
  const { victim } = task;
  const [, height, width] = victim.model.shape;
  const form = { shape: victim.model.shape, bounds: victim.bounds, epsilon: task.epsilon, reachesEdges };
  const alive = survivors(task);
  const streams = new Map<number, Rng>(alive.map((sample) => [sample, task.random(sample, restart)]));
  const best = Float32Array.from(task.images);
  const limits = limitsOf(task);
  for (const [sample, rng] of streams) {
    const row = rowOf(best, victim.size, sample);
    if (task.norm === 'l2') bumps(row, rowOf(task.images, victim.size, sample), form, rng);
    else stripes(row, limits, sample, form, rng);
  }
  const least = task.norm === 'l2' ? 3 : 1;
  const sideAt = (query: number): number => {
    if (query === 0) return 0;
    const share = squareShare(firstShare, rescalesSchedule ? Math.floor(((query - 1) / queries) * 10_000) : query - 1);
    return Math.max(least, Math.round(Math.sqrt(share * height * width)));
  };
  const pulse = { done: restart * queries, total: restarts * queries };
  const run = { form, queries, sideAt, best, limits, streams, pulse };
  // Behind a random defence the answers are those of the judge, which a Loop does not know.
  yield* task.norm === 'l2' || victim.looks > 1 ? searchByQuery(task, run) : searchInLoops(task, run);
  for (const sample of survivors(task)) {
    task.ledger.images.set(rowOf(best, victim.size, sample), sample * victim.size);
  }
}

/** One call of the engine for a query. */
async function* searchByQuery(
  task: AttackTask,
  { form, queries, sideAt, best, limits, streams, pulse }: SquareRun,
): AsyncGenerator<Pulse, void, void> {
  const { victim, ledger } = task;
  const { size } = victim;
  const losses = new Float64Array(task.count).fill(Infinity);
  let alive = survivors(task);
  for (let query = 0; query <= queries && alive.length > 0; query++) {
    const shown = new Float32Array(alive.length * size);
    const side = sideAt(query);
    alive.forEach((sample, i) => {
      const rng = streams.get(sample);
      const row = rowOf(shown, size, i);
      row.set(rowOf(best, size, sample));
      if (query === 0 || !rng) return;
      if (task.norm === 'l2') moveMass(row, rowOf(task.images, size, sample), form, side, rng);
      else paintSquare(row, limits, sample, form, side, rng);
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
    if (query % 10 === 0) yield { done: pulse.done + query, total: pulse.total };
  }
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
function stripes(row: Float32Array, limits: Limits, sample: number, { shape }: SquareForm, rng: Rng): void {
  const [channels, height, width] = shape;
  for (let c = 0; c < channels; c++) {
    for (let x = 0; x < width; x++) {
      const limit = sign(rng) < 0 ? limits.low : limits.high;
      for (let y = 0; y < height; y++) {
        const at = (c * height + y) * width + x;
        row[at] = limit[sample * row.length + at]!;
      }
    }
  }
}

/** One square of ±2ε on what is there, brought back into ball and box, which leaves it at their limit. */
function paintSquare(
  row: Float32Array,
  limits: Limits,
  sample: number,
  form: SquareForm,
  side: number,
  rng: Rng,
): void {
  const [channels, height, width] = form.shape;
  const s = Math.min(side, height, width);
  const { top, left } = drawCorner(form, s, rng);
  for (let c = 0; c < channels; c++) {
    const limit = sign(rng) < 0 ? limits.low : limits.high;
    for (let y = top; y < top + s; y++) {
      for (let x = left; x < left + s; x++) {
        const at = (c * height + y) * width + x;
        row[at] = limit[sample * row.length + at]!;
      }
    }
  }
}
