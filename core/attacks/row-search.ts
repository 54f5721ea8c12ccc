import { float32, type Tensor } from '../base/tensor.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';
import type { Norm } from './catalogue-kinds.ts';
import { runOnRows, traceOf, type Rows } from './loop-rows.ts';
import { keepSuccess, raiseFlag, rowOf, type AttackTask, type Pulse } from './task.ts';
import { batchesOf, oneHot, type LoopDefinition } from './victim.ts';

/** Steps of an attack as chunks of a Loop, on some samples of a task. */
export interface RowSearch {
  /** Equal keys share a compiled Loop. */
  readonly key: string;
  /** Its body traces `found` and `length`, [B] each, see `readTraces`, and may carry `done` [B, 1, 1, 1]. */
  readonly definition: LoopDefinition;
  readonly samples: readonly number[];
  readonly steps: number;
  /** A row for each sample of the task; read and written back. */
  readonly state: Readonly<Record<string, Rows>>;
  readonly shared: Readonly<Record<string, Rows>>;
  readonly scalars?: Readonly<Record<string, number>>;
  /** What the steps [from, from + count) are fed with, for a compiled batch with these samples. */
  feeds?(from: number, count: number, samples: readonly number[], batch: number): Readonly<Record<string, Tensor>>;
  /** Steps of the next chunk at most, where they should end at certain ones. */
  chunkAt?(from: number): number;
  /** Looks at the model, and gradients of it, that a step takes. */
  readonly calls: { readonly queries: number; readonly gradients: number };
  /** The ledger counts on from here; default 0. */
  readonly stepsBefore?: number;
  readonly pulse: { readonly done: number; readonly total: number };
}

/**
 * Runs the search; samples whose `done` is set leave the batch between two chunks. A sample's first step with `found` is its
 * first success. Short chunks at first: most samples that are done soon are so at once.
 */
export async function* searchRows(task: AttackTask, search: RowSearch): AsyncGenerator<Pulse, void, void> {
  const { victim } = task;
  const { state, shared, scalars = {}, steps, pulse } = search;
  const { done } = state;
  let alive = [...search.samples];
  for (let from = 0; from < steps && alive.length > 0;) {
    const most = search.chunkAt?.(from) ?? (done ? Math.max(2, from) : steps);
    const left = victim.stepsPerChunk - (search.chunkAt ? 0 : from % victim.stepsPerChunk);
    const count = Math.min(left, most, steps - from);
    for (const { from: first, to, batch } of batchesOf(alive.length, victim.batchSize)) {
      const samples = alive.slice(first, to);
      const loop = await victim.loop(search.key, batch, search.definition);
      const fed = search.feeds?.(from, count, samples, batch) ?? {};
      const traces = await runOnRows(loop, samples, batch, count, { state, shared, scalars, steps: fed });
      readTraces(task, search, traces, { samples, batch, from, count });
      yield { done: pulse.done + from, total: pulse.total };
    }
    if (done) alive = alive.filter((sample) => done.data[sample] === 0);
    from += count;
  }
}

interface Chunk {
  readonly samples: readonly number[];
  readonly batch: number;
  readonly from: number;
  readonly count: number;
}

/** `found` is 1 at a step with an adversarial image, `length` ‖g‖₁; a sample that was done before a step has a length of −1. */
function readTraces(
  { ledger }: AttackTask,
  { calls, stepsBefore = 0 }: RowSearch,
  traces: Readonly<Record<string, Tensor>>,
  { samples, batch, from, count }: Chunk,
): void {
  const [found, length] = [traceOf(traces, 'found'), traceOf(traces, 'length')];
  samples.forEach((sample, row) => {
    for (let k = 0; k < count; k++) {
      const at = k * batch + row;
      if (length[at] === -1) return;
      ledger.queries[sample]! += calls.queries;
      ledger.gradientCalls[sample]! += calls.gradients;
      if (!Number.isFinite(length[at])) raiseFlag(ledger, sample, 'nan-gradient');
      if (found[at] === 1 && ledger.firstStep[sample] === -1) ledger.firstStep[sample] = stepsBefore + from + k;
    }
  });
}

const imageWidth = (rows: Rows): number => rows.dims.reduce((a, b) => a * b, 1);

/** State of a search for the smallest perturbation: the image and its size, Infinity while there is none. */
export function nearestState({ images, count, victim }: AttackTask): { readonly best: Rows; readonly bestSize: Rows } {
  const { shape } = victim.model;
  return { best: { data: Float32Array.from(images), dims: shape }, bestSize: columnRows(count, Infinity) };
}

/** A number for each sample, as Loops carry it. */
export const columnRows = (count: number, value: number): Rows => ({
  data: new Float32Array(count).fill(value),
  dims: [1, 1, 1],
});

/** An image of zeros for each sample. */
export const zeroRows = ({ images, victim }: AttackTask): Rows => ({
  data: new Float32Array(images.length),
  dims: victim.model.shape,
});

/** A class for each of `count` steps and each row of a compiled batch, one-hot [count, batch, K]. */
export function oneHotSteps(
  classes: number,
  { count, rows, batch }: { readonly count: number; readonly rows: readonly number[]; readonly batch: number },
  classAt: (sample: number, step: number) => number,
): Tensor {
  const all = Int32Array.from({ length: count * batch }, (_, i) =>
    // What fills up the batch repeats the last sample.
    classAt(rows[Math.min(i % batch, rows.length - 1)] ?? 0, Math.floor(i / batch)),
  );
  return float32([count, batch, classes], oneHot(all, classes));
}

/** Writes what a search has found into the ledger. */
export function keepNearest(
  task: AttackTask,
  samples: readonly number[],
  { best, bestSize }: ReturnType<typeof nearestState>,
): void {
  const width = imageWidth(best);
  for (const sample of samples) {
    if (bestSize.data[sample] === Infinity) continue;
    keepSuccess(task, sample, rowOf(best.data, width, sample), task.ledger.firstStep[sample] ?? 0);
  }
}

/** Size of each image's perturbation [B, 1, 1, 1]. */
export function sizeIn(g: GraphBuilder, norm: Exclude<Norm, 'l0'>, delta: Value): Value {
  if (norm === 'l1') return g.reduceL1(delta, [1, 2, 3], true);
  if (norm === 'linf') return g.reduceMax(g.abs(delta), [1, 2, 3], true);
  return g.sqrt(g.reduceSum(g.mul(delta, delta), [1, 2, 3], true));
}
