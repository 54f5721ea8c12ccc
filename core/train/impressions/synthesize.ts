import { float32, floatsOf, sizeOf, tensor, type Tensor } from '../../base/tensor.ts';
import { createChunker } from '../../runtime/chunks.ts';
import { pool } from '../../runtime/pool.ts';
import type { SessionOptions } from '../../runtime/session.ts';
import {
  openSynthesis,
  type Synthesis,
  type SynthesisOptions,
  type SynthesisState,
  type SynthesisTeacher,
} from './synthesis.ts';
import type { TargetSet } from './targets.ts';

/** A batch under way: `step` steps are done. */
export interface OpenBatch {
  readonly step: number;
  readonly state: SynthesisState;
  /** Mean loss of each step so far. */
  readonly losses: Float32Array<ArrayBuffer>;
}

/** How many images of which shape are made, in batches of how many. */
export interface SynthesisLayout {
  readonly count: number;
  readonly batchSize: number;
  /** [C, H, W]. */
  readonly shape: readonly [number, number, number];
}

/** What has been made so far; everything that a resumed run needs. */
export interface SynthesisProgress {
  readonly layout: SynthesisLayout;
  /** The one copy of all images [count, C, H, W]; zeros where a batch is not finished. */
  readonly images: Float32Array<ArrayBuffer>;
  /** Finished batch → loss of every step [steps]. */
  readonly losses: Map<number, Tensor>;
  readonly open: Map<number, OpenBatch>;
}

export const emptyProgress = (layout: SynthesisLayout): SynthesisProgress => ({
  layout,
  images: new Float32Array(layout.count * sizeOf(layout.shape)),
  losses: new Map(),
  open: new Map(),
});

export const batchCount = ({ count, batchSize }: SynthesisLayout): number => Math.ceil(count / batchSize);

/** Whether image `index` is finished. */
export const isMade = ({ layout, losses }: SynthesisProgress, index: number): boolean =>
  losses.has(Math.floor(index / layout.batchSize));

/** The part of `images` that a batch fills; the last batch may be short. */
function batchImages({ layout, images }: SynthesisProgress, batch: number): Tensor {
  const { count, batchSize, shape } = layout;
  const first = batch * batchSize;
  const rows = Math.min(batchSize, count - first);
  const size = sizeOf(shape);
  return float32([rows, ...shape], images.subarray(first * size, (first + rows) * size));
}

/** Copies the rows that count out of what an optimisation, or a checkpoint, gives for a batch. */
function keepBatch(progress: SynthesisProgress, batch: number, given: Tensor): void {
  const room = floatsOf(batchImages(progress, batch));
  room.set(floatsOf(given, 'impressions').subarray(0, room.length));
}

export interface SynthesizeInput {
  readonly teacher: SynthesisTeacher;
  readonly options: SynthesisOptions;
  readonly targets: TargetSet;
  /** One entry per lane. */
  readonly sessions: readonly SessionOptions[];
  readonly now: () => number;
}

/** Steps done in all, after each chunk of any lane. */
export interface Synthesized {
  readonly batch: number;
  /** Set when the chunk finished its batch. */
  readonly finalLoss?: number;
  readonly stepsDone: number;
  readonly stepsTotal: number;
}

/** Optimiser steps done so far, over all batches. */
export function stepsDone(progress: SynthesisProgress, { steps }: SynthesisOptions): number {
  let done = progress.losses.size * steps;
  for (const { step } of progress.open.values()) done += step;
  return done;
}

/**
 * Makes all impressions, several batches side by side. `progress` holds exactly what has been yielded: a checkpoint
 * taken between two yields never knows of a chunk that nobody has heard of.
 */
export async function* synthesize(
  input: SynthesizeInput,
  progress: SynthesisProgress,
): AsyncGenerator<Synthesized, void, void> {
  const { options } = input;
  const batches = batchCount(progress.layout);
  const stepsTotal = batches * options.steps;
  const left = Array.from({ length: batches }, (_, batch) => batch).filter((batch) => !progress.losses.has(batch));
  // Batches that were under way come first.
  left.sort((a, b) => Number(progress.open.has(b)) - Number(progress.open.has(a)) || a - b);
  // A warm start is a chain: each batch needs the one before.
  const sessions = options.warmStart ? input.sessions.slice(0, 1) : input.sessions;
  const workers: Synthesis[] = [];
  try {
    for (const session of sessions.slice(0, Math.max(1, left.length))) {
      workers.push(await openSynthesis(input.teacher, options, session));
    }
    const advancing = pool(workers, left, (batch, worker) => synthesizeBatch(batch, worker, input, progress));
    for await (const { batch, reached } of advancing) {
      const isFinished = reached.step === options.steps;
      if (isFinished) finishBatch(progress, batch, reached, options.warmStart);
      else progress.open.set(batch, reached);
      const finalLoss = isFinished ? { finalLoss: reached.losses[options.steps - 1] ?? Number.NaN } : {};
      yield { batch, ...finalLoss, stepsDone: stepsDone(progress, options), stepsTotal };
    }
  } finally {
    for (const worker of workers) await worker.close();
  }
}

function finishBatch(progress: SynthesisProgress, batch: number, { state, losses }: OpenBatch, isChain: boolean): void {
  progress.open.delete(batch);
  keepBatch(progress, batch, state['x']!);
  progress.losses.set(batch, tensor('float32', [losses.length], losses));
  // Key −1 holds what the next batch of a warm chain starts from; its steps count as none.
  if (isChain) progress.open.set(-1, { step: 0, state, losses: new Float32Array(0) });
}

/** A batch, chunk by chunk; at the last one `reached` holds all steps. */
async function* synthesizeBatch(
  batch: number,
  worker: Synthesis,
  { options, targets, now }: SynthesizeInput,
  progress: SynthesisProgress,
): AsyncGenerator<{ readonly batch: number; readonly reached: OpenBatch }, void, void> {
  const wanted = batchTargets(targets, batch, options.batchSize);
  const before = options.warmStart ? progress.open.get(-1) : undefined;
  const resumed = progress.open.get(batch);
  let state = resumed?.state ?? before?.state ?? worker.start(batch);
  let step = resumed?.step ?? 0;
  const losses = new Float32Array(options.steps);
  losses.set(resumed?.losses ?? []);
  const chunker = createChunker();
  while (step < options.steps) {
    const count = chunker.next(options.steps - step);
    const startedAt = now();
    const lastLoss = step > 0 ? losses[step - 1] : undefined;
    const advanced = await worker.advance({ batch, state, from: step, count, targets: wanted, lastLoss });
    chunker.done(count, now() - startedAt);
    losses.set(advanced.losses, step);
    state = advanced.state;
    step += count;
    yield { batch, reached: { step, state, losses: losses.slice(0, step) } };
  }
}

/** The rows of a batch; the last batch is filled up with the first rows of the set, whose images are dropped. */
function batchTargets({ targets, classes }: TargetSet, batch: number, batchSize: number): Tensor {
  const k = targets.length / classes.length;
  const rows = new Float32Array(batchSize * k);
  for (let i = 0; i < batchSize; i++) {
    const row = (batch * batchSize + i) % classes.length;
    rows.set(targets.subarray(row * k, (row + 1) * k), i * k);
  }
  return float32([batchSize, k], rows);
}

/** Mean loss over batches at each step. */
export function meanLosses(progress: SynthesisProgress, steps: number): number[] {
  const sum = new Float64Array(steps);
  // In the order of batches, whichever came first: sums of floats depend on it.
  const batches = [...progress.losses].sort(([a], [b]) => a - b);
  for (const [, losses] of batches) {
    for (const [step, loss] of floatsOf(losses, 'losses').entries()) sum[step]! += loss;
  }
  return Array.from(sum, (total) => total / batches.length);
}

const stateKey = (batch: number, name: string): string => `open/${batch}/${name}`;

/** `progress` as what a checkpoint stores. */
export function synthesisCheckpoint(progress: SynthesisProgress): {
  json: { batch: number; step: number }[];
  tensors: Record<string, Tensor>;
  parts: Record<string, Tensor>;
} {
  const tensors: Record<string, Tensor> = {};
  const parts: Record<string, Tensor> = {};
  const json: { batch: number; step: number }[] = [];
  for (const [batch, { step, state, losses }] of progress.open) {
    json.push({ batch, step });
    for (const [name, value] of Object.entries(state)) tensors[stateKey(batch, name)] = value;
    tensors[stateKey(batch, 'losses')] = tensor('float32', [losses.length], losses);
  }
  for (const [batch, losses] of progress.losses) {
    parts[`images/${batch}`] = batchImages(progress, batch);
    parts[`losses/${batch}`] = losses;
  }
  return { json, tensors, parts };
}

/** The inverse of `synthesisCheckpoint`. */
export function restoreSynthesis(
  layout: SynthesisLayout,
  open: readonly { readonly batch: number; readonly step: number }[],
  tensors: Readonly<Record<string, Tensor>>,
  parts: Readonly<Record<string, Tensor>>,
): SynthesisProgress {
  const progress = emptyProgress(layout);
  for (const { batch, step } of open) {
    const state: Record<string, Tensor> = {};
    const prefix = stateKey(batch, '');
    for (const [name, value] of Object.entries(tensors)) {
      if (name.startsWith(prefix) && name !== stateKey(batch, 'losses')) state[name.slice(prefix.length)] = value;
    }
    progress.open.set(batch, { step, state, losses: floatsOf(tensors[stateKey(batch, 'losses')]!, 'losses') });
  }
  for (const [name, value] of Object.entries(parts)) {
    const [kind, batch] = name.split('/');
    if (kind === 'images') keepBatch(progress, Number(batch), value);
    if (kind === 'losses') progress.losses.set(Number(batch), value);
  }
  return progress;
}
