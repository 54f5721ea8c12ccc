import { sizeOf, type Tensor } from '../base/tensor.ts';
import { stackSteps } from '../runtime/loop.ts';
import type { Norm } from './catalogue-kinds.ts';
import { runOnRows, traceOf } from './loop-rows.ts';
import { ruleKey, stepLoop, type StepRule } from './step-loop.ts';
import { judgeImages, keepSuccess, raiseFlag, rowOf, type AttackTask, type Pulse } from './task.ts';
import { batchesOf, oneHot, type BatchRange } from './victim.ts';

export interface Descent {
  readonly rule: StepRule;
  readonly steps: number;
  readonly stepSize: number;
  /** Perturbations to start from [N, C, H, W]; zeros when absent. */
  readonly start?: Float32Array;
  /** Samples to attack. */
  readonly samples: readonly number[];
  /** theta [2, 3] of the view that a sample is seen through at a step. */
  readonly view?: (sample: number, step: number, row: Float32Array) => void;
  readonly pulse: { readonly done: number; readonly total: number };
}

/** Deltas are kept as multiples of 2^-22 of the box: their sums with the step are then exact, and an image that comes
 * again does so to the bit. */
function quantumOf([low, high]: readonly [number, number]): number {
  return 2 ** (Math.ceil(Math.log2(high - low)) - 22);
}

/**
 * Runs a fixed-step attack. With `rule.stops` a success counts at any step and ends the attack on that image; without,
 * only the last image counts. The ledger holds, for what did not fall, the last image.
 */
export async function* descend(task: AttackTask, descent: Descent): AsyncGenerator<Pulse, void, void> {
  const { victim, ledger } = task;
  const { size, bounds } = victim;
  const { rule, steps } = descent;
  const { classes } = victim;
  const quantum = quantumOf(bounds);
  const stepSize =
    rule.norm === 'linf' ? Math.max(quantum, Math.round(descent.stepSize / quantum) * quantum) : descent.stepSize;
  const delta = startOf(task, descent, quantum);
  const momentum = rule.decay === undefined ? undefined : new Float32Array(delta.length);
  const seen = new Map(descent.samples.map((sample) => [sample, new Set<string>()]));
  const shared = {
    stepSize,
    delta,
    momentum,
    done: new Float32Array(task.count),
    goals: oneHot((rule.isTargeted ? task.targets : task.labels) ?? [], classes),
    limits: rule.norm === 'linf' ? limitsOf(task, quantum) : undefined,
  };
  let alive = [...descent.samples];
  for (let from = 0; from < steps && alive.length > 0;) {
    const count = Math.min(victim.stepsPerChunk, steps - from);
    const still: number[] = [];
    for (const range of batchesOf(alive.length, victim.batchSize)) {
      const rows = alive.slice(range.from, range.to);
      const result = await runChunk(task, descent, { ...shared, rows, range, from, count });
      rows.forEach((sample, row) => {
        const prints = seen.get(sample) ?? new Set();
        const end = endOf(task, rule, result, { sample, row, from, count, seen: prints });
        if (end === 'goes on') still.push(sample);
        else if (end === 'hit') keepSuccess(task, sample, imageOf(task, delta, sample), ledger.firstStep[sample]!);
        else ledger.images.set(imageOf(task, delta, sample), sample * size);
      });
      yield { done: descent.pulse.done + from, total: descent.pulse.total };
    }
    alive = still;
    from += count;
  }
  await judge(task, descent, alive, delta);
}

interface Chunk {
  readonly rows: readonly number[];
  readonly range: BatchRange;
  readonly from: number;
  readonly count: number;
  readonly stepSize: number;
  /** [N, C, H, W], written. */
  readonly delta: Float32Array;
  readonly momentum: Float32Array | undefined;
  readonly done: Float32Array;
  /** [N, K] one-hot. */
  readonly goals: Float32Array;
  readonly limits: Limits | undefined;
}

interface ChunkTrace {
  /** Images in the compiled batch. */
  readonly batch: number;
  readonly hit: Float32Array;
  readonly length: Float32Array;
  readonly print?: Float32Array;
}

async function runChunk(task: AttackTask, { rule, view, pulse }: Descent, chunk: Chunk): Promise<ChunkTrace> {
  const { victim } = task;
  const { batch } = chunk.range;
  const dims = victim.model.shape;
  const loop = await victim.loop(ruleKey(rule), batch, stepLoop(rule, victim.model, victim.bounds));
  const traces = await runOnRows(loop, chunk.rows, batch, chunk.count, {
    state: {
      delta: { data: chunk.delta, dims },
      done: { data: chunk.done, dims: [1, 1, 1] },
      ...(chunk.momentum ? { momentum: { data: chunk.momentum, dims } } : {}),
    },
    steps: { ...(view ? { theta: viewsOf(chunk, view) } : {}), ...victim.draws(pulse.done + chunk.from, chunk.count) },
    shared: {
      clean: { data: task.images, dims },
      goal: { data: chunk.goals, dims: [victim.classes] },
      ...(chunk.limits ? { low: { data: chunk.limits.low, dims }, high: { data: chunk.limits.high, dims } } : {}),
    },
    scalars: { stepSize: chunk.stepSize, epsilon: task.epsilon },
  });
  const print = rule.hasPrints ? { print: traceOf(traces, 'print') } : {};
  return { batch, hit: traceOf(traces, 'hit'), length: traceOf(traces, 'length'), ...print };
}

interface Limits {
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/** What each pixel's delta may be: the ball and the box at once, rounded inwards to the quantum. */
function limitsOf({ images, victim: { bounds }, epsilon }: AttackTask, quantum: number): Limits {
  const low = new Float32Array(images.length);
  const high = new Float32Array(images.length);
  const [least, most] = bounds;
  for (let i = 0; i < images.length; i++) {
    low[i] = Math.ceil(Math.max(-epsilon, least - images[i]!) / quantum - 1e-3) * quantum;
    high[i] = Math.floor(Math.min(epsilon, most - images[i]!) / quantum + 1e-3) * quantum;
  }
  return { low, high };
}

function viewsOf({ rows, range, from, count }: Chunk, view: NonNullable<Descent['view']>): Tensor {
  return stackSteps(count, [range.batch, 2, 3], (k, all) => {
    for (let row = 0; row < range.batch; row++) {
      view(rows[Math.min(row, rows.length - 1)]!, from + k, all.subarray(row * 6, row * 6 + 6));
    }
  });
}

interface Place {
  readonly sample: number;
  readonly row: number;
  readonly from: number;
  readonly count: number;
  readonly seen: Set<string>;
}

/** Reads a chunk's traces of one sample, step by step. */
function endOf(
  { ledger }: AttackTask,
  rule: StepRule,
  { batch, hit, length, print }: ChunkTrace,
  { sample, row, from, count, seen }: Place,
): 'goes on' | 'hit' | 'cycle' {
  const looks = rule.scales ?? 1;
  for (let k = 0; k < count; k++) {
    const at = k * batch + row;
    ledger.queries[sample]! += looks;
    ledger.gradientCalls[sample]! += looks;
    if (!Number.isFinite(length[at])) raiseFlag(ledger, sample, 'nan-gradient');
    else if (length[at] === 0 && from + k === 0) raiseFlag(ledger, sample, 'zero-gradient');
    if (rule.stops && hit[at] === 1) {
      if (ledger.firstStep[sample] === -1) ledger.firstStep[sample] = from + k;
      return 'hit';
    }
    if (!print) continue;
    const key = `${print[2 * at]} ${print[2 * at + 1]}`;
    if (seen.has(key)) {
      raiseFlag(ledger, sample, 'cycle');
      return 'cycle';
    }
    seen.add(key);
  }
  return 'goes on';
}

/** The image after the last step has not been seen yet. */
async function judge(
  task: AttackTask,
  { steps }: Descent,
  alive: readonly number[],
  delta: Float32Array,
): Promise<void> {
  if (alive.length === 0) return;
  const { size } = task.victim;
  const images = new Float32Array(alive.length * size);
  alive.forEach((sample, i) => images.set(imageOf(task, delta, sample), i * size));
  await judgeImages(task, alive, images, steps);
}

function imageOf({ images, victim: { size } }: AttackTask, delta: Float32Array, sample: number): Float32Array {
  const image = new Float32Array(size);
  for (let i = 0; i < size; i++) image[i] = images[sample * size + i]! + delta[sample * size + i]!;
  return image;
}

function startOf({ count, victim: { size } }: AttackTask, { start, rule }: Descent, quantum: number): Float32Array {
  if (!start) return new Float32Array(count * size);
  if (rule.norm !== 'linf') return Float32Array.from(start);
  return start.map((value) => Math.round(value / quantum) * quantum);
}

/**
 * Random starts [N, C, H, W]: uniform in the ball. Linf: each pixel by itself; l2: a normal direction and the radius
 * ε·u^(1/d). Other samples than those named stay zero.
 */
export function randomStarts(task: AttackTask, samples: readonly number[], norm: Norm, restart: number): Float32Array {
  const { victim, epsilon } = task;
  const size = sizeOf(victim.model.shape);
  const starts = new Float32Array(task.count * size);
  for (const sample of samples) {
    const rng = task.random(sample, restart);
    const row = rowOf(starts, size, sample);
    if (norm === 'linf') {
      for (let i = 0; i < size; i++) row[i] = epsilon * (2 * rng.uniform() - 1);
      clampInto(task, sample, row);
      continue;
    }
    let squares = 0;
    for (let i = 0; i < size; i++) {
      row[i] = rng.normal();
      squares += row[i]! * row[i]!;
    }
    const scale = (epsilon * rng.uniform() ** (1 / size)) / Math.sqrt(squares);
    for (let i = 0; i < size; i++) row[i]! *= scale;
    clampInto(task, sample, row);
  }
  return starts;
}

/** Moves a start into the box. */
function clampInto({ images, victim: { size, bounds } }: AttackTask, sample: number, row: Float32Array): void {
  for (let i = 0; i < size; i++) {
    const x = images[sample * size + i]!;
    row[i] = Math.min(Math.max(x + row[i]!, bounds[0]), bounds[1]) - x;
  }
}
