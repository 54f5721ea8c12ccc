import { rankedTargets } from './apgd.ts';
import { implement, type Implementation } from './attack.ts';
import { fab, fabT } from './catalogue-auto.ts';
import { fabLoop, nearestPlaneLoop, type FabRule } from './fab-loop.ts';
import type { Rows } from './loop-rows.ts';
import { perturbationNorms, takeRows } from './perturbation.ts';
import { columnRows, oneHotSteps, searchRows, zeroRows } from './row-search.ts';
import { keepSuccess, rowOf, survivors, type AttackTask, type Pulse } from './task.ts';
import { oneHot } from './victim.ts';

interface FabOptions {
  readonly steps: number;
  readonly alphaMax: number;
  readonly eta: number;
  readonly beta: number;
}

interface FabRun {
  readonly options: FabOptions;
  readonly samples: readonly number[];
  /** The class whose boundary is looked for, by sample of the task; undefined: the nearest of all. */
  readonly targets: Int32Array | undefined;
  /** Where to start, a row for each of `samples`. */
  readonly start: Float32Array<ArrayBuffer>;
  /** Leave an image alone once what was found lies in the ball: smaller would change no verdict. */
  readonly stopsInside: boolean;
  readonly pulse: { readonly done: number; readonly total: number };
}

const normOf = ({ norm }: AttackTask): FabRule['norm'] => (norm === 'l0' ? 'l1' : norm);

/** One run of FAB; the ledger keeps what is smaller than what it has. */
export async function* approachBoundary(task: AttackTask, run: FabRun): AsyncGenerator<Pulse, void, void> {
  const { victim, ledger, labels, epsilon } = task;
  const { options, samples, start, stopsInside, targets, pulse } = run;
  const { size, classes } = victim;
  const dims = victim.model.shape;
  const norm = normOf(task);
  const rule: FabRule = { norm, stopsInside, plane: targets ? 'target' : 'given' };
  const x = { data: Float32Array.from(task.images), dims };
  const best = { data: Float32Array.from(ledger.images), dims };
  const bestSize = columnRows(task.count, Infinity);
  samples.forEach((sample, i) => {
    x.data.set(rowOf(start, size, i), sample * size);
    if (ledger.isFooled[sample] === 0) return;
    bestSize.data[sample] = perturbationNorms(rowOf(best.data, size, sample), rowOf(task.images, size, sample))[norm];
  });
  const state = { x, best, bestSize, done: columnRows(task.count, 0) };
  const rows = (of: Int32Array): Rows => ({ data: oneHot(of, classes), dims: [classes] });
  const search = {
    key: `fab ${JSON.stringify(rule)}`,
    definition: fabLoop(rule, victim.model, victim.bounds),
    samples,
    state,
    shared: { clean: { data: task.images, dims }, labels: rows(labels) },
    scalars: { alphaMax: options.alphaMax, eta: options.eta, beta: options.beta, epsilon },
    pulse,
  };
  if (targets) {
    const shared = { ...search.shared, targets: rows(targets) };
    yield* searchRows(task, { ...search, shared, steps: options.steps, calls: { queries: 2, gradients: 1 } });
  } else {
    const plane = {
      normal: zeroRows(task),
      gap: columnRows(task.count, 0),
      shortest: columnRows(task.count, Infinity),
    };
    const shared = { ...search.shared, normal: plane.normal, gap: plane.gap };
    const calls = { queries: 1, gradients: 0 };
    for (let step = 0; step < options.steps; step++) {
      const alive = samples.filter((sample) => state.done.data[sample] === 0);
      const now = { done: pulse.done + step, total: pulse.total };
      plane.shortest.data.fill(Infinity);
      yield* findPlanes(task, { samples: alive, x, state: plane, pulse: now });
      yield* searchRows(task, { ...search, samples: alive, shared, steps: 1, calls, stepsBefore: step, pulse: now });
    }
  }
  for (const sample of samples) {
    const image = rowOf(best.data, size, sample);
    if (bestSize.data[sample]! <= epsilon) keepSuccess(task, sample, image, ledger.firstStep[sample] ?? 0);
    else ledger.images.set(image, sample * size);
  }
}

interface PlaneSearch {
  readonly samples: readonly number[];
  readonly x: Rows;
  /** Written: the nearest planes of all other classes. */
  readonly state: Readonly<Record<'normal' | 'gap' | 'shortest', Rows>>;
  readonly pulse: Pulse;
}

async function* findPlanes(
  task: AttackTask,
  { samples, x, state, pulse }: PlaneSearch,
): AsyncGenerator<Pulse, void, void> {
  const { victim, labels } = task;
  const { classes, model } = victim;
  const norm = normOf(task);
  const search = searchRows(task, {
    key: `plane ${norm}`,
    definition: nearestPlaneLoop(norm, model),
    samples,
    steps: classes - 1,
    state,
    shared: { x, labels: { data: oneHot(labels, classes), dims: [classes] } },
    feeds: (from, count, rows, batch) => ({
      // Every class but the own one.
      others: oneHotSteps(
        classes,
        { count, rows, batch },
        (sample, k) => ((labels[sample] ?? 0) + 1 + from + k) % classes,
      ),
    }),
    calls: { queries: 1, gradients: 1 },
    pulse,
  });
  for await (const _ of search) yield pulse;
}

/** The clean images; from the second restart on, half of epsilon away from them in a random direction. */
function startsOf(
  task: AttackTask,
  alive: readonly number[],
  restart: number,
  stream: number,
): Float32Array<ArrayBuffer> {
  const { victim, epsilon, images } = task;
  const { size, bounds } = victim;
  const norm = normOf(task);
  const starts = takeRows(images, size, alive);
  if (restart === 0) return starts;
  const [direction, zero] = [new Float32Array(size), new Float32Array(size)];
  alive.forEach((sample, i) => {
    const rng = task.random(sample, stream);
    for (let j = 0; j < size; j++) direction[j] = norm === 'linf' ? 2 * rng.uniform() - 1 : rng.normal();
    const scale = (0.5 * epsilon) / perturbationNorms(direction, zero)[norm];
    const row = rowOf(starts, size, i);
    for (let j = 0; j < size; j++) row[j] = Math.min(Math.max(row[j]! + scale * direction[j]!, bounds[0]), bounds[1]);
  });
  return starts;
}

/** FAB (Croce & Hein 2020b), and with the boundary of one class at a time as in AutoAttack. */
export const boundaryProjections: readonly Implementation[] = [
  implement(fab, async function* (task, options) {
    const total = options.restarts * options.steps;
    for (let restart = 0; restart < options.restarts; restart++) {
      const samples = survivors(task);
      yield* approachBoundary(task, {
        options,
        samples,
        targets: undefined,
        start: startsOf(task, samples, restart, restart),
        stopsInside: true,
        pulse: { done: restart * options.steps, total },
      });
    }
  }),
  implement(fabT, async function* (task, options) {
    const ranked = rankedTargets(task);
    const ranks = Math.min(options.targetClasses, task.victim.classes - 1);
    for (let rank = 0; rank < ranks; rank++) {
      const targets = Int32Array.from(ranked, (classes) => classes[rank] ?? 0);
      for (let restart = 0; restart < options.restarts; restart++) {
        const number = rank * options.restarts + restart;
        const samples = survivors(task);
        yield* approachBoundary(task, {
          options,
          samples,
          targets,
          start: startsOf(task, samples, restart, number),
          stopsInside: true,
          pulse: { done: number * options.steps, total: ranks * options.restarts * options.steps },
        });
      }
    }
  }),
];
