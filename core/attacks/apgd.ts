import { float32 } from '../base/tensor.ts';
import { implement, type Implementation } from './attack.ts';
import { apgdLoop, apgdScalars, apgdSchedule, apgdState, type ApgdRule, type ApgdStep } from './apgd-loop.ts';
import { apgdCe, apgdDlr, apgdT } from './catalogue-auto.ts';
import { runOnRows, traceOf, type Rows } from './loop-rows.ts';
import { takeRows } from './perturbation.ts';
import { judgeImages, keepSuccess, raiseFlag, rowOf, survivors, type AttackTask, type Pulse } from './task.ts';
import { batchesOf, oneHot } from './victim.ts';

interface ApgdRun {
  readonly rule: ApgdRule;
  readonly steps: number;
  readonly rho: number;
  readonly samples: readonly number[];
  /** Classes that the objective speaks of, by sample of the task. */
  readonly targets: Int32Array | undefined;
  /** [N, C, H, W]. */
  readonly start: Float32Array;
  readonly pulse: { readonly done: number; readonly total: number };
}

/** One start of APGD on some samples; those that fall leave the batch. */
async function* descendAdaptively(task: AttackTask, run: ApgdRun): AsyncGenerator<Pulse, void, void> {
  const { victim, ledger } = task;
  const schedule = apgdSchedule(run.steps, run.rho);
  const dims = victim.model.shape;
  const key = `apgd ${JSON.stringify(run.rule)}`;
  const state = startState(task, run);
  const shared: Record<string, Rows> = {
    clean: { data: task.images, dims },
    labels: { data: oneHot(task.labels, victim.classes), dims: [victim.classes] },
    ...(run.targets ? { targets: { data: oneHot(run.targets, victim.classes), dims: [victim.classes] } } : {}),
  };
  let alive = [...run.samples];
  for (let from = 0; from < schedule.length && alive.length > 0;) {
    const count = Math.min(victim.stepsPerChunk, schedule.length - from);
    const scalars = { scalars: scalarsOf(schedule.slice(from, from + count)) };
    const steps = { ...scalars, ...victim.draws(run.pulse.done + from, count) };
    const fallen = new Set<number>();
    for (const { from: first, to, batch } of batchesOf(alive.length, victim.batchSize)) {
      const samples = alive.slice(first, to);
      const loop = await victim.loop(key, batch, apgdLoop(run.rule, victim.model, victim.bounds));
      const feeds = { state, shared, scalars: { epsilon: task.epsilon }, steps };
      const traces = await runOnRows(loop, samples, batch, count, feeds);
      const [hit, length] = [traceOf(traces, 'hit'), traceOf(traces, 'length')];
      samples.forEach((sample, row) => {
        for (let k = 0; k < count; k++) {
          const at = k * batch + row;
          ledger.queries[sample]! += 1;
          ledger.gradientCalls[sample]! += 1;
          if (!Number.isFinite(length[at])) raiseFlag(ledger, sample, 'nan-gradient');
          else if (length[at] === 0 && from + k === 0) raiseFlag(ledger, sample, 'zero-gradient');
          if (hit[at] !== 1 || !run.rule.stops) continue;
          fallen.add(sample);
          keepSuccess(task, sample, rowOf(state['x']!.data, victim.size, sample), from + k);
          return;
        }
      });
      yield { done: run.pulse.done + from, total: run.pulse.total };
    }
    alive = alive.filter((sample) => !fallen.has(sample));
    from += count;
  }
  if (run.rule.stops) {
    for (const sample of alive)
      ledger.images.set(rowOf(state['best']!.data, victim.size, sample), sample * victim.size);
  } else await judgeImages(task, alive, takeRows(state['best']!.data, victim.size, alive), run.steps);
}

const scalarsOf = (steps: readonly ApgdStep[]): ReturnType<typeof float32> =>
  float32([steps.length, 4], steps.flatMap(apgdScalars));

function startState(task: AttackTask, { start }: ApgdRun): Record<string, Rows> {
  const { victim, count, epsilon } = task;
  const dims = victim.model.shape;
  const filled = (value: number): Rows => ({ data: new Float32Array(count).fill(value), dims: [1, 1, 1] });
  const image = (data: Float32Array): Rows => ({ data: Float32Array.from(data), dims });
  const zeros = new Float32Array(start.length);
  return {
    ...Object.fromEntries(apgdState.images.map((name) => [name, image(name === 'bestGradient' ? zeros : start)])),
    ...Object.fromEntries(apgdState.numbers.map((name) => [name, filled(0)])),
    stepSize: filled(2 * epsilon),
    halved: filled(1),
  };
}

/** Where APGD starts: on the surface of the ball, in a direction of uniform (linf) or normal (l2) numbers, in the box. */
function surfaceStarts(task: AttackTask, samples: readonly number[], restart: number): Float32Array {
  const { victim, epsilon, norm } = task;
  const { size, bounds } = victim;
  const starts = Float32Array.from(task.images);
  const direction = new Float32Array(size);
  for (const sample of samples) {
    const rng = task.random(sample, restart);
    let length = 0;
    for (let i = 0; i < size; i++) {
      direction[i] = norm === 'linf' ? 2 * rng.uniform() - 1 : rng.normal();
      length = norm === 'linf' ? Math.max(length, Math.abs(direction[i]!)) : length + direction[i]! * direction[i]!;
    }
    const scale = epsilon / ((norm === 'linf' ? length : Math.sqrt(length)) + 1e-12);
    const row = rowOf(starts, size, sample);
    for (let i = 0; i < size; i++) row[i] = Math.min(Math.max(row[i]! + scale * direction[i]!, bounds[0]), bounds[1]);
  }
  return starts;
}

interface RestartOptions {
  readonly steps: number;
  readonly rho: number;
  readonly restarts: number;
}

async function* withRestarts(
  task: AttackTask,
  objective: 'cross-entropy' | 'dlr',
  { steps, rho, restarts }: RestartOptions,
): AsyncGenerator<Pulse, void, void> {
  const isTargeted = task.targets !== undefined;
  for (let restart = 0; restart < restarts; restart++) {
    const samples = survivors(task);
    yield* descendAdaptively(task, {
      rule: {
        norm: task.norm === 'l2' ? 'l2' : 'linf',
        objective: isTargeted ? `${objective}-targeted` : objective,
        isTargeted,
        stops: task.victim.looks === 1,
      },
      steps,
      rho,
      samples,
      targets: task.targets,
      start: surfaceStarts(task, samples, restart),
      pulse: { done: restart * steps, total: restarts * steps },
    });
  }
}

/** The wrong classes of each sample, best first, by its clean logits: [N][K − 1]. */
export function rankedTargets({ cleanLogits, labels, count, victim: { classes } }: AttackTask): number[][] {
  return Array.from({ length: count }, (_, sample) => {
    const logits = rowOf(cleanLogits, classes, sample);
    return Array.from({ length: classes }, (__, k) => k)
      .filter((k) => k !== labels[sample])
      .sort((a, b) => logits[b]! - logits[a]!);
  });
}

/** Auto-PGD (Croce & Hein 2020): with cross-entropy, with the difference of logits ratio, and with targets. */
export const adaptiveAttacks: readonly Implementation[] = [
  implement(apgdCe, (task, options) => withRestarts(task, 'cross-entropy', options)),
  implement(apgdDlr, (task, options) => withRestarts(task, 'dlr', options)),
  implement(apgdT, async function* (task, { steps, rho, restarts, targetClasses }) {
    const ranked = rankedTargets(task);
    const ranks = Math.min(targetClasses, task.victim.classes - 1);
    const total = ranks * restarts * steps;
    for (let rank = 0; rank < ranks; rank++) {
      const targets = Int32Array.from(ranked, (classes) => classes[rank] ?? 0);
      for (let restart = 0; restart < restarts; restart++) {
        const samples = survivors(task);
        yield* descendAdaptively(task, {
          rule: {
            norm: task.norm === 'l2' ? 'l2' : 'linf',
            objective: 'dlr-targeted',
            isTargeted: false,
            stops: task.victim.looks === 1,
          },
          steps,
          rho,
          samples,
          targets,
          start: surfaceStarts(task, samples, rank * restarts + restart),
          pulse: { done: (rank * restarts + restart) * steps, total },
        });
      }
    }
  }),
];
