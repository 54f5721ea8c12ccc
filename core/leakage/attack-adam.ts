import { invariant } from '../base/errors.ts';
import { float32, floatsOf, sizeOf, type Tensor } from '../base/tensor.ts';
import { fillNormal, stream } from '../base/rng.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';
import { compileLoop, stackSteps, type CompiledLoop, type LoopTypes, type LoopValues } from '../runtime/loop.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { createOptimiser, type Optimiser } from '../train/optimisers.ts';
import { constantSchedule, cosineSchedule, stepSchedule, withWarmup, type Schedule } from '../train/schedules.ts';
import { runEnds, type AttackRun, type RunProgress, type RunState } from './attack-run.ts';
import type { AttackSettings } from './attack-settings.ts';
import { emitObjective, type PixelSpace } from './objective.ts';
import type { SharedGradients } from './victim-gradient.ts';
import type { Victim } from './victim.ts';

/** The updates of a first-order attack as one Loop, shared by its restarts. Close it in the end. */
export interface AdamAttack {
  /** `groupMean` is asked for before each chunk when the prior `group` is on. */
  start(from: AdamStart | RunState, restart: number, groupMean?: () => Float32Array<ArrayBuffer>): AttackRun;
  close(): Promise<void>;
}

export interface AdamStart {
  readonly pixels: Float32Array<ArrayBuffer>;
  readonly labelLogits: Float32Array<ArrayBuffer> | undefined;
}

/** Bounds of each channel in the space of the attack. */
export function boundsOf(space: PixelSpace | undefined): {
  readonly low: readonly number[];
  readonly high: readonly number[];
} {
  if (!space) return { low: [0], high: [1] };
  const at = (pixel: number): number[] => space.mean.map((mean, c) => (pixel - mean) / (space.std[c] ?? 1));
  return { low: at(0), high: at(1) };
}

export async function openAdamAttack(
  victim: Victim,
  shared: SharedGradients,
  settings: AttackSettings,
  session: SessionOptions,
): Promise<AdamAttack> {
  const optimiser = createOptimiser('adam');
  const types = typesOf(victim, settings, optimiser);
  const loop = await compileLoop(
    `leakage from ${victim.title}`,
    types,
    (g, values) => step(g, values, { victim, shared, settings, optimiser }),
    session,
  );
  return {
    start: (from, restart, groupMean) => createRun({ loop, types, settings, optimiser, restart, groupMean }, from),
    close: () => loop.close(),
  };
}

function typesOf(
  victim: Victim,
  { batchSize, labels, noise = 0, priors }: AttackSettings,
  optimiser: Optimiser,
): LoopTypes {
  const pixels = { dtype: 'float32', shape: [batchSize, ...victim.shape] } as const;
  const labelLogits = { dtype: 'float32', shape: [batchSize, victim.classes] } as const;
  const guess = { pixels, ...(labels === 'joint' ? { labelLogits } : {}) };
  const moments = optimiser.stateFor(
    Object.fromEntries(
      Object.entries(guess).map(([name, { shape }]) => [name, float32(shape, new Float32Array(sizeOf(shape)))]),
    ),
  );
  return {
    state: {
      ...guess,
      ...Object.fromEntries(Object.entries(guess).map(([name, type]) => [bestKey(name), type])),
      ...Object.fromEntries(
        Object.entries(moments).map(([name, { dims }]) => [name, { dtype: 'float32', shape: dims }] as const),
      ),
      bestDistance: { dtype: 'float32', shape: [] },
      over: { dtype: 'float32', shape: [] },
    },
    steps: {
      rates: { dtype: 'float32', shape: [optimiser.scalarCount] },
      softness: { dtype: 'float32', shape: [] },
      ...(noise > 0 ? { noise: pixels } : {}),
    },
    shared: (priors?.group ?? 0) > 0 ? { groupMean: pixels } : {},
  };
}

const bestKey = (name: string): string => `best.${name}`;

interface StepParts {
  readonly victim: Victim;
  readonly shared: SharedGradients;
  readonly settings: AttackSettings;
  readonly optimiser: Optimiser;
}

function step(
  g: GraphBuilder,
  { state, steps, shared: fed }: LoopValues,
  { victim, shared, settings, optimiser }: StepParts,
): { state: Record<string, Value>; trace: Record<string, Value> } {
  const { pixels, labelLogits, bestDistance, over } = state;
  const { rates, softness } = steps;
  invariant(pixels && bestDistance && over && rates && softness, 'an attack carries its guess');
  const guess = { pixels, labelLogits, groupMean: fed['groupMean'] };
  const { distance, total, dPixels, dLabelLogits } = emitObjective(g, victim, shared, guess, settings);
  const noisy = steps['noise'] ? g.add(dPixels, steps['noise']) : dPixels;
  const parameters = { pixels, ...(labelLogits ? { labelLogits } : {}) };
  const updated = optimiser.update(g, {
    parameters,
    grads: { pixels: turned(g, noisy, softness, settings), labelLogits: dLabelLogits },
    state,
    scalars: rates,
  });
  const isBetter = g.less(distance, bestDistance);
  const next: Record<string, Value> = { ...state, ...updated.state, ...updated.parameters };
  for (const [name, value] of Object.entries(parameters)) {
    const known = state[bestKey(name)];
    invariant(known, `an attack carries its best ${name}`);
    next[bestKey(name)] = g.where(isBetter, value, known);
  }
  next['bestDistance'] = g.where(isBetter, distance, bestDistance);
  const { pixels: moved } = updated.parameters;
  if (settings.isBoxed && moved) {
    const { low, high } = boundsOf(settings.space);
    const bound = (values: readonly number[]): Value => g.floats([1, values.length, 1, 1], values);
    next['pixels'] = settings.space ? g.min(g.max(moved, bound(low)), bound(high)) : g.clip(moved, 0, 1);
  }
  const threshold = stopsBelow(settings);
  const goesOn = g.less(total, largestFloat);
  const isOver = g.where(
    threshold === undefined ? goesOn : g.and(goesOn, g.not(g.less(total, threshold))),
    g.scalar(0),
    g.scalar(1),
  );
  next['over'] = g.max(over, isOver);
  // Where the attack is over, the rest of a chunk changes nothing: how long chunks are must not show in the result.
  const wasOver = g.less(g.scalar(0.5), over);
  const frozen = Object.entries(next).map(
    ([name, value]) => [name, g.where(wasOver, state[name] ?? value, value)] as const,
  );
  return { state: Object.fromEntries(frozen), trace: { distance, total } };
}

/** Above it, and at NaN, an attack has diverged. */
const largestFloat = 3.402823e38;

/** The distance at which an attack has converged; undefined: it makes all steps. */
const stopsBelow = ({ stopBelow = 0 }: AttackSettings): number | undefined => (stopBelow > 0 ? stopBelow : undefined);

/** What Adam is fed with in place of the gradient. */
function turned(g: GraphBuilder, grad: Value, softness: Value, { optimiser }: AttackSettings): Value {
  if (optimiser === 'signed-adam') return g.sign(grad);
  return optimiser === 'soft-signed-adam' ? g.div(g.tanh(g.mul(grad, softness)), softness) : grad;
}

function scheduleOf({ schedule = 'constant', learningRate, steps, warmupSteps = 0 }: AttackSettings): Schedule {
  const milestones = [3, 5, 7].map((eighths) => Math.floor((eighths * steps) / 8));
  const plain =
    schedule === 'constant'
      ? constantSchedule(learningRate)
      : schedule === 'steps'
        ? stepSchedule({ learningRate, milestones })
        : cosineSchedule({ learningRate, totalSteps: steps });
  return warmupSteps > 0 ? withWarmup(plain, warmupSteps) : plain;
}

interface RunParts {
  readonly loop: CompiledLoop;
  readonly types: LoopTypes;
  readonly settings: AttackSettings;
  readonly optimiser: Optimiser;
  readonly restart: number;
  readonly groupMean: (() => Float32Array<ArrayBuffer>) | undefined;
}

function createRun(
  { loop, types, settings, optimiser, restart, groupMean }: RunParts,
  from: AdamStart | RunState,
): AttackRun {
  const { steps, seed, noise = 0 } = settings;
  const threshold = stopsBelow(settings);
  const schedule = scheduleOf(settings);
  let state: Readonly<Record<string, Tensor>> = 'numbers' in from ? from.tensors : freshState(types, from);
  const resumed = 'numbers' in from ? from.numbers : {};
  let at = resumed['step'] ?? 0;
  let evaluations = resumed['evaluations'] ?? 0;
  let distance = resumed['distance'] ?? Number.NaN;
  let total = resumed['total'] ?? Number.NaN;
  let end = runEnds[resumed['end'] ?? -1];

  const noiseShape = types.steps['noise']?.shape ?? [];
  const feeds = (first: number, count: number): Record<string, Tensor> => ({
    rates: stackSteps(count, [optimiser.scalarCount], (k, row) =>
      row.set(optimiser.scalars(schedule(first + k), first + k)),
    ),
    softness: stackSteps(count, [], (k, row) => row.fill(1 - Math.min(first + k, steps - 1) / steps)),
    ...(noise === 0
      ? {}
      : {
          noise: stackSteps(count, noiseShape, (k, row) =>
            fillNormal(stream(seed, 'leakage', 'noise', restart, first + k), row, 0, noise * schedule(first + k)),
          ),
        }),
  });
  const run = async (count: number): ReturnType<CompiledLoop['run']> => {
    const shape = types.shared['groupMean']?.shape;
    const mean = groupMean?.();
    return loop.run({
      count,
      state,
      steps: feeds(at, count),
      shared: shape && mean ? { groupMean: float32(shape, mean) } : {},
    });
  };
  const floats = (name: string): Float32Array<ArrayBuffer> => {
    const value = state[name];
    invariant(value, `an attack carries ${name}`);
    return floatsOf(value);
  };
  const optional = (name: string): Float32Array<ArrayBuffer> | undefined => (state[name] ? floats(name) : undefined);
  const hasDiverged = (value: number): boolean => !(value < largestFloat);
  const hasConverged = (value: number): boolean => threshold !== undefined && value < threshold;
  /** Takes down where the attack stands; gives the steps up to there. */
  const record = (trace: Readonly<Record<string, Tensor>>): number => {
    const totals = Array.from(trace['total']?.data ?? [], Number);
    const stop = totals.findIndex((value) => hasDiverged(value) || hasConverged(value));
    const last = stop < 0 ? totals.length - 1 : stop;
    [distance, total] = [Number(trace['distance']?.data[last] ?? Number.NaN), totals[last] ?? Number.NaN];
    return last + 1;
  };
  return {
    get progress(): RunProgress {
      const bestDistance = floats('bestDistance')[0] ?? Infinity;
      const best = Number.isFinite(bestDistance)
        ? { distance: bestDistance, pixels: floats(bestKey('pixels')), labelLogits: optional(bestKey('labelLogits')) }
        : undefined;
      const guess = { pixels: floats('pixels'), labelLogits: optional('labelLogits') };
      return { step: at, distance, total, evaluations, end, best, ...guess };
    },
    async advance(most) {
      if (end) return;
      const count = Math.max(1, Math.min(most, steps - at));
      const result = await run(count);
      state = result.state;
      const made = record(result.trace);
      at += made;
      evaluations += made;
      if (hasDiverged(total)) end = 'diverged';
      else if (hasConverged(total)) end = 'converged';
      else if (at >= steps) {
        // The last update has not been looked at yet: one more step for its distance, whose own update is dropped.
        const last = await run(1);
        record(last.trace);
        evaluations++;
        const kept = Object.keys(state).filter((name) => name.startsWith('best'));
        state = {
          ...state,
          ...Object.fromEntries(kept.flatMap((name) => (last.state[name] ? [[name, last.state[name]]] : []))),
        };
        end = hasDiverged(total) ? 'diverged' : 'finished';
      }
    },
    capture: () => ({
      numbers: { step: at, evaluations, distance, total, ...(end ? { end: runEnds.indexOf(end) } : {}) },
      tensors: state,
    }),
  };
}

function freshState(types: LoopTypes, { pixels, labelLogits }: AdamStart): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(types.state).map(([name, { shape }]) => {
      if (name === 'pixels') return [name, float32(shape, pixels)];
      if (name === 'labelLogits' && labelLogits) return [name, float32(shape, labelLogits)];
      return [name, float32(shape, new Float32Array(sizeOf(shape)).fill(name === 'bestDistance' ? Infinity : 0))];
    }),
  );
}
