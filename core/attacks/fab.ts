import { rankedTargets } from './apgd.ts';
import { implement, type Implementation } from './attack.ts';
import { fab, fabT } from './catalogue-auto.ts';
import { stepToHyperplane } from './hyperplane.ts';
import { topClass } from '../metrics/classification.ts';
import { perturbationNorms, takeRows } from './perturbation.ts';
import { keepSuccess, raiseFlag, rowOf, survivors, type AttackTask, type Pulse } from './task.ts';

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

type FabNorm = 'linf' | 'l2' | 'l1';

/** The hyperplane that a boundary looks like from here: ⟨w, x⟩ = b. */
interface Planes {
  readonly w: Float32Array;
  readonly b: Float64Array;
}

/** One run of FAB; the ledger keeps what is smaller than what it has. */
export async function* approachBoundary(task: AttackTask, run: FabRun): AsyncGenerator<Pulse, void, void> {
  const { victim, ledger, epsilon } = task;
  const { size, bounds, classes } = victim;
  const { steps, alphaMax, eta, beta } = run.options;
  const norm: FabNorm = task.norm === 'l0' ? 'l1' : task.norm;
  const best = Float64Array.from({ length: task.count }, (_, i) =>
    ledger.isFooled[i] === 1
      ? perturbationNorms(rowOf(ledger.images, size, i), rowOf(task.images, size, i))[norm]
      : Infinity,
  );
  let alive = [...run.samples];
  let x = Float32Array.from(run.start);
  const [toPlane, fromClean] = [new Float32Array(size), new Float32Array(size)];
  for (let step = 0; step < steps && alive.length > 0; step++) {
    const { w, b } = await (run.targets ? planeOf(task, alive, x, run.targets) : nearestPlane(task, alive, x, norm));
    alive.forEach((sample, i) => {
      const [clean, here, normal] = [rowOf(task.images, size, sample), rowOf(x, size, i), rowOf(w, size, i)];
      // The plane's place holds a product with every part of the normal.
      if (!Number.isFinite(b[i])) {
        raiseFlag(ledger, sample, 'nan-gradient');
        return;
      }
      stepToHyperplane(norm, here, normal, b[i]!, bounds, toPlane);
      stepToHyperplane(norm, clean, normal, b[i]!, bounds, fromClean);
      const [near, far] = [Math.max(sizeIn(norm, toPlane), 1e-8), Math.max(sizeIn(norm, fromClean), 1e-8)];
      const alpha = Math.min(near / (near + far), alphaMax);
      for (let j = 0; j < size; j++) {
        const mixed = (here[j]! + eta * toPlane[j]!) * (1 - alpha) + (clean[j]! + eta * fromClean[j]!) * alpha;
        here[j] = Math.min(Math.max(mixed, bounds[0]), bounds[1]);
      }
    });
    const logits = await victim.logits(x);
    const isInside = alive.map((sample, i) => {
      ledger.queries[sample]! += 1;
      if (topClass(logits, i, classes) === task.labels[sample]) return false;
      const [clean, here] = [rowOf(task.images, size, sample), rowOf(x, size, i)];
      const distance = perturbationNorms(here, clean)[norm];
      if (distance < best[sample]!) {
        best[sample] = distance;
        if (distance <= epsilon) keepSuccess(task, sample, here, step);
        else ledger.images.set(here, sample * size);
      }
      for (let j = 0; j < size; j++) here[j] = clean[j]! + beta * (here[j]! - clean[j]!);
      return run.stopsInside && best[sample]! <= epsilon;
    });
    if (isInside.some(Boolean)) {
      const keep = Array.from(alive.keys()).filter((i) => !isInside[i]);
      x = takeRows(x, size, keep);
      alive = keep.map((i) => alive[i]!);
    }
    yield { done: run.pulse.done + step, total: run.pulse.total };
  }
}

/** The plane of one other class: z_t − z_y, linearised at x. */
async function planeOf(
  task: AttackTask,
  alive: readonly number[],
  x: Float32Array,
  targets: Int32Array,
): Promise<Planes> {
  const { victim, labels, ledger } = task;
  const { size, classes } = victim;
  const cotangents = new Float32Array(alive.length * classes);
  alive.forEach((sample, i) => {
    cotangents[i * classes + targets[sample]!] = 1;
    cotangents[i * classes + labels[sample]!] = -1;
    ledger.queries[sample]! += 1;
    ledger.gradientCalls[sample]! += 1;
  });
  const { logits, gradient } = await victim.vjp(x, cotangents);
  const b = Float64Array.from(alive, (sample, i) => {
    const difference = logits[i * classes + targets[sample]!]! - logits[i * classes + labels[sample]!]!;
    return dot(rowOf(gradient, size, i), rowOf(x, size, i)) - difference;
  });
  return { w: gradient, b };
}

/** The plane that is nearest of all other classes, one vector–Jacobian product for each. */
async function nearestPlane(
  task: AttackTask,
  alive: readonly number[],
  x: Float32Array,
  norm: FabNorm,
): Promise<Planes> {
  const { victim, labels } = task;
  const { size, classes } = victim;
  const nearest = new Float64Array(alive.length).fill(Infinity);
  const w = new Float32Array(alive.length * size);
  const b = new Float64Array(alive.length);
  const dual = { linf: 'l1', l2: 'l2', l1: 'linf' } as const;
  for (let k = 0; k < classes; k++) {
    const rows = Array.from(alive.keys()).filter((i) => labels[alive[i]!] !== k);
    const others = rows.map((i) => alive[i]!);
    if (others.length === 0) continue;
    const targets = new Int32Array(task.count).fill(k);
    const points = takeRows(x, size, rows);
    const plane = await planeOf(task, others, points, targets);
    rows.forEach((i, row) => {
      const normal = rowOf(plane.w, size, row);
      const gap = Math.abs(dot(normal, rowOf(points, size, row)) - plane.b[row]!);
      const distance = gap / (1e-12 + sizeIn(dual[norm], normal));
      if (!(distance < nearest[i]!)) return;
      nearest[i] = distance;
      w.set(normal, i * size);
      b[i] = plane.b[row]!;
    });
  }
  return { w, b };
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
  const norm: FabNorm = task.norm === 'l0' ? 'l1' : task.norm;
  const starts = takeRows(images, size, alive);
  if (restart === 0) return starts;
  const direction = new Float32Array(size);
  alive.forEach((sample, i) => {
    const rng = task.random(sample, stream);
    for (let j = 0; j < size; j++) direction[j] = norm === 'linf' ? 2 * rng.uniform() - 1 : rng.normal();
    const scale = (0.5 * epsilon) / sizeIn(norm, direction);
    const row = rowOf(starts, size, i);
    for (let j = 0; j < size; j++) row[j] = Math.min(Math.max(row[j]! + scale * direction[j]!, bounds[0]), bounds[1]);
  });
  return starts;
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function sizeIn(norm: FabNorm, v: Float32Array): number {
  let size = 0;
  if (norm === 'linf') for (let i = 0; i < v.length; i++) size = Math.max(size, Math.abs(v[i]!));
  else if (norm === 'l1') for (let i = 0; i < v.length; i++) size += Math.abs(v[i]!);
  else return Math.sqrt(dot(v, v));
  return size;
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
