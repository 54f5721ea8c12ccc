import { invariant } from '../base/errors.ts';
import type { Rng } from '../base/rng.ts';
import { float32, type Tensor } from '../base/tensor.ts';
import type { Value } from '../autodiff/builder.ts';
import { runOnRows, traceOf, type Rows } from './loop-rows.ts';
import type { AttackedModel } from './look.ts';
import { cotangentOf, isPredicted, type Objective } from './objectives.ts';
import { drawCorner, type SquareForm } from './square-l2.ts';
import { keepSuccess, rowOf, survivors, type AttackTask, type Pulse } from './task.ts';
import { batchesOf, oneHot, type LoopDefinition } from './victim.ts';

/** What a pixel becomes under a square: as far up or down as ball and box let it. [N, C, H, W] */
export interface Limits {
  readonly low: Float32Array;
  readonly high: Float32Array;
}

export function limitsOf({ images, epsilon, victim: { bounds } }: AttackTask): Limits {
  const [least, most] = bounds;
  return {
    low: images.map((value) => Math.max(value - epsilon, least)),
    high: images.map((value) => Math.min(value + epsilon, most)),
  };
}

export interface SquareRun {
  readonly form: SquareForm;
  readonly queries: number;
  /** Side of the square at a query; 0 at query 0, which shows the start. */
  readonly sideAt: (query: number) => number;
  /** [N, C, H, W]: where the search starts, written over. */
  readonly best: Float32Array<ArrayBuffer>;
  readonly limits: Limits;
  /** The random numbers of each sample, in the order of its queries: corner, then a sign for each channel. */
  readonly streams: ReadonlyMap<number, Rng>;
  readonly pulse: { readonly done: number; readonly total: number };
}

/**
 * One query as a Loop body: a square is painted on what is best so far, and stays if the model comes closer to a mistake.
 * State `best` [B, C, H, W], `score` and `done` [B, 1, 1, 1]; by step `top`, `left` [B, 1, 1, 1], `signs` [B, C, 1, 1] and `side`;
 * traces `hit` [B].
 */
function squareLoop(objective: Objective, model: AttackedModel): LoopDefinition {
  const { shape, classes } = model;
  const [channels, height, width] = shape;
  const isTargeted = objective === 'cross-entropy-targeted';
  return {
    types(batch) {
      const image = { dtype: 'float32', shape: [batch, ...shape] } as const;
      const number = { dtype: 'float32', shape: [batch, 1, 1, 1] } as const;
      return {
        state: { best: image, score: number, done: number },
        steps: {
          top: number,
          left: number,
          signs: { dtype: 'float32', shape: [batch, channels, 1, 1] },
          side: { dtype: 'float32', shape: [] },
        },
        shared: { low: image, high: image, goal: { dtype: 'float32', shape: [batch, classes] } },
      };
    },
    body:
      (look) =>
      (g, { state, steps, shared }) => {
        const { best, score, done } = state;
        const { top, left, signs, side } = steps;
        const { low, high, goal } = shared;
        invariant(
          best && score && done && top && left && signs && side && low && high && goal,
          'the loop has its values',
        );
        const batch = best.shape[0] ?? 1;
        const inside = (length: number, dims: readonly number[], first: Value): Value => {
          const places = g.floats(
            dims,
            Array.from({ length }, (_, i) => i),
          );
          return g.and(g.greaterOrEqual(places, first), g.less(places, g.add(first, side)));
        };
        const covered = g.and(inside(height, [1, 1, height, 1], top), inside(width, [1, 1, 1, width], left));
        const tried = g.where(covered, g.where(g.greater(signs, 0), high, low), best);
        const logits = look(g, tried);
        const { loss } = cotangentOf(g, objective, logits, { labels: goal, targets: goal });
        const column = (value: Value): Value => g.reshape(value, [batch, 1, 1, 1]);
        const isThere = isPredicted(g, logits, goal);
        const wanted = column(isTargeted ? isThere : g.sub(1, isThere));
        const isBetter = g.cast(g.greater(column(loss), score), 'float32');
        const stays = g.greater(g.mul(g.max(isBetter, wanted), g.sub(1, done)), 0.5);
        return {
          state: {
            best: g.where(stays, tried, best),
            score: g.where(stays, column(loss), score),
            done: g.max(done, wanted),
          },
          trace: { hit: g.reshape(wanted, [batch]) },
        };
      },
  };
}

/** The queries of one restart in linf, many to a Loop: between two Loops those that have fallen leave the batch. */
export async function* searchInLoops(task: AttackTask, run: SquareRun): AsyncGenerator<Pulse, void, void> {
  const { victim, ledger, targets, labels } = task;
  const objective: Objective = targets ? 'cross-entropy-targeted' : 'margin';
  const dims = victim.model.shape;
  const column = (fill: number): Rows => ({ data: new Float32Array(task.count).fill(fill), dims: [1, 1, 1] });
  const state = { best: { data: run.best, dims }, score: column(-1e30), done: column(0) };
  const shared = {
    low: { data: run.limits.low, dims },
    high: { data: run.limits.high, dims },
    goal: { data: oneHot(targets ?? labels, victim.classes), dims: [victim.classes] },
  };
  let alive = survivors(task);
  for (let from = 0; from <= run.queries && alive.length > 0;) {
    // Most images that fall do so early.
    const count = Math.min(victim.queriesPerChunk, Math.max(10, from >> 2), run.queries + 1 - from);
    const fallen = new Set<number>();
    for (const range of batchesOf(alive.length, victim.batchSize)) {
      const samples = alive.slice(range.from, range.to);
      const loop = await victim.loop(`square ${objective}`, range.batch, squareLoop(objective, victim.model));
      const steps = drawn(run, samples, range.batch, dims[0], from, count);
      const traces = await runOnRows(loop, samples, range.batch, count, { state, shared, scalars: {}, steps });
      const hit = traceOf(traces, 'hit');
      samples.forEach((sample, row) => {
        for (let k = 0; k < count; k++) {
          ledger.queries[sample]! += 1;
          if (hit[k * range.batch + row] !== 1) continue;
          fallen.add(sample);
          keepSuccess(task, sample, rowOf(run.best, victim.size, sample), from + k);
          return;
        }
      });
      yield { done: run.pulse.done + from, total: run.pulse.total };
    }
    alive = alive.filter((sample) => !fallen.has(sample));
    from += count;
  }
}

/** The squares of `count` queries; rows that fill up the batch repeat the last sample's. */
function drawn(
  { form, sideAt, streams }: SquareRun,
  samples: readonly number[],
  batch: number,
  channels: number,
  from: number,
  count: number,
): Record<string, Tensor> {
  const [tops, lefts] = [new Float32Array(count * batch), new Float32Array(count * batch)];
  const signs = new Float32Array(count * batch * channels);
  const [, height, width] = form.shape;
  const sides = Float32Array.from({ length: count }, (_, k) => Math.min(sideAt(from + k), height, width));
  for (let row = 0; row < batch; row++) {
    const sample = samples[row];
    const rng = sample === undefined ? undefined : streams.get(sample);
    for (let k = 0; k < count; k++) {
      const at = k * batch + row;
      if (!rng) {
        [tops[at], lefts[at]] = [tops[at - 1]!, lefts[at - 1]!];
        for (let c = 0; c < channels; c++) signs[at * channels + c] = signs[(at - 1) * channels + c]!;
        continue;
      }
      if (from + k === 0) continue;
      const { top, left } = drawCorner(form, sides[k]!, rng);
      [tops[at], lefts[at]] = [top, left];
      for (let c = 0; c < channels; c++) signs[at * channels + c] = rng.uniform() < 0.5 ? -1 : 1;
    }
  }
  return {
    top: float32([count, batch, 1, 1, 1], tops),
    left: float32([count, batch, 1, 1, 1], lefts),
    signs: float32([count, batch, channels, 1, 1], signs),
    side: float32([count], sides),
  };
}
