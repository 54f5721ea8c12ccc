import type { Rng } from '../base/rng.ts';
import { implement, type Implementation } from './attack.ts';
import { boundary, hopSkipJump } from './catalogue-blind.ts';
import { topClass } from '../metrics/classification.ts';
import { perturbationNorms } from './perturbation.ts';
import { isWanted, keepSuccess, rowOf, survivors, type AttackTask } from './task.ts';

/** An image on the wrong side of the boundary, and how far it is. */
interface Walker {
  readonly sample: number;
  readonly rng: Rng;
  readonly clean: Float32Array;
  image: Float32Array;
  distance: number;
}

/** Asks the model of several images, one row for each of `samples`: whether they are what the attacker wants. */
async function ask(task: AttackTask, samples: readonly number[], images: Float32Array): Promise<boolean[]> {
  const { victim, ledger } = task;
  const logits = await victim.logits(images);
  return samples.map((sample, i) => {
    ledger.queries[sample]! += 1;
    return isWanted(task, sample, topClass(logits, i, victim.classes));
  });
}

const joined = (size: number, rows: readonly Float32Array[]): Float32Array => {
  const all = new Float32Array(rows.length * size);
  rows.forEach((row, i) => all.set(row, i * size));
  return all;
};

const mixed = (from: Float32Array, to: Float32Array, share: number): Float32Array =>
  from.map((value, i) => value + share * (to[i]! - value));

/** Uniform noise that is taken for another class, brought to the boundary by halving; images without are left out. */
async function startWalkers(task: AttackTask): Promise<Walker[]> {
  const { victim, images } = task;
  const { size, bounds } = victim;
  let searching = survivors(task).map((sample): Walker => {
    const clean = Float32Array.from(rowOf(images, size, sample));
    return { sample, rng: task.random(sample, 0), clean, image: clean, distance: Infinity };
  });
  const found: Walker[] = [];
  for (let draw = 0; draw < 50 && searching.length > 0; draw++) {
    // Late draws are noise over the image: a model may take pure noise for one class only.
    const share = draw < 25 ? 1 : 0.3 + 0.7 * ((draw - 25) / 25);
    for (const walker of searching) {
      walker.image = walker.clean.map(
        (value) => value + share * (bounds[0] + (bounds[1] - bounds[0]) * walker.rng.uniform() - value),
      );
    }
    const isThere = await ask(
      task,
      searching.map(({ sample }) => sample),
      joined(
        size,
        searching.map(({ image }) => image),
      ),
    );
    found.push(...searching.filter((_, i) => isThere[i]));
    searching = searching.filter((_, i) => !isThere[i]);
  }
  await toBoundary(task, found, 15);
  return found.toSorted((a, b) => a.sample - b.sample);
}

/** Part of the way to the clean image: along the line, or in linf clipped to a smaller ball. */
function nearer(
  norm: AttackTask['norm'],
  { clean }: Walker,
  far: Float32Array,
  distance: number,
  share: number,
): Float32Array {
  if (norm !== 'linf') return mixed(clean, far, share);
  const most = share * distance;
  return far.map((value, i) => Math.min(Math.max(value, clean[i]! - most), clean[i]! + most));
}

/** Halves the way between the clean image and the walker, and keeps the wrong side. */
async function toBoundary(task: AttackTask, walkers: readonly Walker[], halvings: number): Promise<void> {
  const { size } = task.victim;
  const low = walkers.map(() => 0);
  const high = walkers.map(() => 1);
  const far = walkers.map(({ image }) => image);
  const reach = walkers.map(({ image, clean }) => perturbationNorms(image, clean).linf);
  for (let halving = 0; halving < halvings && walkers.length > 0; halving++) {
    const shown = walkers.map((walker, i) => nearer(task.norm, walker, far[i]!, reach[i]!, (low[i]! + high[i]!) / 2));
    const isThere = await ask(
      task,
      walkers.map(({ sample }) => sample),
      joined(size, shown),
    );
    walkers.forEach((walker, i) => {
      const middle = (low[i]! + high[i]!) / 2;
      if (isThere[i]) {
        high[i] = middle;
        walker.image = shown[i]!;
      } else low[i] = middle;
    });
  }
  for (const walker of walkers) walker.distance = perturbationNorms(walker.image, walker.clean)[task.norm];
}

function keepWalkers(task: AttackTask, walkers: readonly Walker[], step: number): void {
  for (const { sample, image } of walkers) keepSuccess(task, sample, image, step);
}

const lengthOf = (v: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < v.length; i++) sum += v[i]! * v[i]!;
  return Math.sqrt(sum);
};

/** Attacks that see only the class that the model names. */
export const decisionAttacks: readonly Implementation[] = [
  implement(boundary, async function* (task, options) {
    const { size, bounds } = task.victim;
    const walkers = await startWalkers(task);
    keepWalkers(task, walkers, 0);
    const spherical = walkers.map(() => options.sphericalStep);
    const source = walkers.map(() => options.sourceStep);
    const wins = walkers.map(() => ({ tried: 0, sphere: 0, step: 0 }));
    for (let step = 0; step < options.steps && walkers.length > 0; step++) {
      const onSphere = walkers.map(({ clean, image, rng, distance }, i) => {
        const out = image.map((value, j) => value - clean[j]!);
        const move = image.map(() => rng.normal());
        const along = out.reduce((sum, value, j) => sum + value * move[j]!, 0) / Math.max(distance * distance, 1e-24);
        move.forEach((value, j) => (move[j] = value - along * out[j]!));
        const scale = (spherical[i]! * distance) / Math.max(lengthOf(move), 1e-12);
        const next = out.map((value, j) => value + scale * move[j]!);
        const back = distance / Math.max(lengthOf(next), 1e-12);
        return clean.map((value, j) => Math.min(Math.max(value + back * next[j]!, bounds[0]), bounds[1]));
      });
      const samples = walkers.map(({ sample }) => sample);
      const closer = onSphere.map((image, i) => mixed(image, walkers[i]!.clean, source[i]!));
      const isCloser = await ask(task, samples, joined(size, closer));
      const looks = step % 5 === 4 ? await ask(task, samples, joined(size, onSphere)) : undefined;
      walkers.forEach((walker, i) => {
        const win = wins[i]!;
        win.tried++;
        if (isCloser[i]) {
          win.step++;
          walker.image = closer[i]!;
          walker.distance = perturbationNorms(closer[i]!, walker.clean)[task.norm];
        }
        if (looks?.[i]) win.sphere++;
        if (win.tried < 25) return;
        // Half of the steps along the sphere, and a quarter of those inwards, should succeed (section 3.3).
        spherical[i]! *= win.sphere >= 3 ? 1.3 : 1 / 1.3;
        source[i] = Math.min(0.5, source[i]! * (win.step >= 6 ? 1.3 : 1 / 1.3));
        wins[i] = { tried: 0, sphere: 0, step: 0 };
      });
      if (step % 10 === 9) yield { done: step, total: options.steps };
    }
    keepWalkers(task, walkers, options.steps);
  }),
  implement(hopSkipJump, async function* (task, { iterations, firstLooks, mostLooks }) {
    const { size, bounds } = task.victim;
    const walkers = await startWalkers(task);
    keepWalkers(task, walkers, 0);
    for (let t = 1; t <= iterations && walkers.length > 0; t++) {
      const looks = Math.min(Math.round(firstLooks * Math.sqrt(t)), mostLooks);
      for (const walker of walkers) {
        const direction = await slopeAt(task, walker, looks, t);
        await hop(task, walker, direction, walker.distance / Math.sqrt(t));
        yield { done: t - 1, total: iterations };
      }
      // Nearer to the boundary than the steps that feel for it (section 3.3: d^(−3/2) and d^(−2) of the way).
      await toBoundary(task, walkers, Math.min(20, Math.ceil((task.norm === 'l2' ? 1.5 : 2) * Math.log2(size)) + 1));
      for (const { sample, image, clean } of walkers) {
        const held = rowOf(task.ledger.images, size, sample);
        const isShorter = perturbationNorms(image, clean)[task.norm] < perturbationNorms(held, clean)[task.norm];
        if (isShorter) keepSuccess(task, sample, image, t);
      }
    }

    /** The direction away from the clean class, from how often random steps cross the boundary (equation 16). */
    async function slopeAt({ norm }: AttackTask, walker: Walker, looks: number, t: number): Promise<Float32Array> {
      const { rng, image, distance, sample } = walker;
      const share = norm === 'l2' ? Math.sqrt(size) * size ** -1.5 : size * size ** -2;
      const radius = t === 1 ? 0.1 * (bounds[1] - bounds[0]) : share * distance;
      const steps = Array.from({ length: looks }, () => {
        const step = image.map(() => (norm === 'l2' ? rng.normal() : 2 * rng.uniform() - 1));
        const scale = radius / Math.max(lengthOf(step), 1e-12);
        // What the box leaves of the step is what was tried.
        return image.map((value, j) => Math.min(Math.max(value + scale * step[j]!, bounds[0]), bounds[1]) - value);
      });
      const shown = steps.map((step) => image.map((value, j) => value + step[j]!));
      const isThere = await ask(
        task,
        steps.map(() => sample),
        joined(size, shown),
      );
      const mean = isThere.filter(Boolean).length / looks;
      const isOneSided = mean === 0 || mean === 1;
      const sum = new Float32Array(size);
      steps.forEach((step, i) => {
        const weight = isOneSided ? (isThere[i] ? 1 : -1) : 2 * (Number(isThere[i]) - mean);
        for (let j = 0; j < size; j++) sum[j]! += weight * step[j]!;
      });
      if (norm === 'linf') return sum.map(Math.sign);
      const length = Math.max(lengthOf(sum), 1e-12);
      return sum.map((value) => value / length);
    }

    /** As far as the model still names the wrong class: halve the step until it does. */
    async function hop(_: AttackTask, walker: Walker, direction: Float32Array, first: number): Promise<void> {
      let step = first;
      for (let halving = 0; halving < 15; halving++) {
        const shown = walker.image.map((value, j) =>
          Math.min(Math.max(value + step * direction[j]!, bounds[0]), bounds[1]),
        );
        const [isThere] = await ask(task, [walker.sample], shown);
        if (isThere) {
          walker.image = shown;
          return;
        }
        step /= 2;
      }
    }
  }),
];
