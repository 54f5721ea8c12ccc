import { implement, type Implementation } from './attack.ts';
import { ddn, fmn } from './catalogue-minimal.ts';
import { topClass } from '../metrics/classification.ts';
import { perturbationNorms, projectRow, takeRows } from './perturbation.ts';
import { isWanted, keepSuccess, raiseFlag, rowOf, survivors, type AttackTask } from './task.ts';

/** From `first` to `last` along half a cosine. */
const cosine = (first: number, last: number, step: number, steps: number): number =>
  last + 0.5 * (first - last) * (1 + Math.cos((Math.PI * step) / steps));

const lengthOf = (v: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < v.length; i++) sum += v[i]! * v[i]!;
  return Math.sqrt(sum);
};

/** Attacks that move on a ball and change its radius: smaller after a success, larger after a failure. */
export const normAttacks: readonly Implementation[] = [
  implement(ddn, async function* (task, { steps, firstNorm, gamma }) {
    const { victim, ledger } = task;
    const {
      size,
      classes,
      bounds: [low, high],
    } = victim;
    const samples = survivors(task);
    const delta = new Float32Array(samples.length * size);
    const radius = new Float64Array(samples.length).fill(firstNorm * (high - low));
    const best = new Float64Array(samples.length).fill(Infinity);
    const objective = task.targets ? 'cross-entropy-targeted' : 'cross-entropy';
    for (let step = 0; step < steps && samples.length > 0; step++) {
      const images = shownImages(task, samples, delta);
      const { logits, gradient } = await victim.gradient(objective, images, goalsOf(task, samples));
      const stepSize = cosine(1, 0.01, step, steps) * (high - low);
      samples.forEach((sample, i) => {
        countCall(task, sample);
        const image = rowOf(images, size, i);
        const isAdversarial = isWanted(task, sample, topClass(logits, i, classes));
        if (isAdversarial) keepBest(task, sample, image, best, i, step);
        const g = rowOf(gradient, size, i);
        const length = lengthOf(g);
        if (Number.isNaN(length)) return raiseFlag(ledger, sample, 'nan-gradient');
        const d = rowOf(delta, size, i);
        for (let j = 0; j < size; j++) d[j]! += (stepSize * g[j]!) / Math.max(length, 1e-12);
        radius[i]! *= isAdversarial ? 1 - gamma : 1 + gamma;
        const scale = radius[i]! / Math.max(lengthOf(d), 1e-12);
        const clean = rowOf(task.images, size, sample);
        for (let j = 0; j < size; j++) {
          d[j] = Math.min(Math.max(clean[j]! + scale * d[j]!, low), high) - clean[j]!;
        }
      });
      if (step % 5 === 4) yield { done: step, total: steps };
    }
  }),
  implement(fmn, async function* (task, { steps, stepSize, gamma }) {
    const { victim, ledger, norm } = task;
    const { size, classes, bounds } = victim;
    const samples = survivors(task);
    const delta = new Float32Array(samples.length * size);
    const radius = new Float64Array(samples.length).fill(Infinity);
    const best = new Float64Array(samples.length).fill(Infinity);
    const objective = task.targets ? 'margin-targeted' : 'margin';
    for (let step = 0; step < steps && samples.length > 0; step++) {
      const images = shownImages(task, samples, delta);
      const { logits, losses, gradient } = await victim.gradient(objective, images, goalsOf(task, samples));
      const rate = cosine(stepSize, stepSize / 100, step, steps) * (bounds[1] - bounds[0]);
      const change = cosine(gamma, 0.001, step, steps);
      samples.forEach((sample, i) => {
        countCall(task, sample);
        const image = rowOf(images, size, i);
        const clean = rowOf(task.images, size, sample);
        const isAdversarial = isWanted(task, sample, topClass(logits, i, classes));
        if (isAdversarial) keepBest(task, sample, image, best, i, step);
        const g = rowOf(gradient, size, i);
        const length = lengthOf(g);
        if (Number.isNaN(length)) return raiseFlag(ledger, sample, 'nan-gradient');
        const now = perturbationNorms(image, clean)[norm];
        if (isAdversarial) radius[i] = Math.min(radius[i]! * (1 - change), best[i]!);
        // Before the first success: as far as the boundary seems to be.
        else if (best[i] === Infinity) radius[i] = now + Math.abs(losses[i]!) / Math.max(dualLength(g, norm), 1e-12);
        else radius[i]! *= 1 + change;
        // The box first: what it cuts off would be missing from the radius, and the search could stop short of it.
        const next = Float32Array.from(image, (value, j) =>
          Math.min(Math.max(value + (rate * g[j]!) / Math.max(length, 1e-12), bounds[0]), bounds[1]),
        );
        projectRow(next, clean, norm, radius[i]!, bounds);
        const d = rowOf(delta, size, i);
        for (let j = 0; j < size; j++) d[j] = next[j]! - clean[j]!;
      });
      if (step % 5 === 4) yield { done: step, total: steps };
    }
  }),
];

function dualLength(g: Float32Array, norm: AttackTask['norm']): number {
  if (norm === 'l2') return lengthOf(g);
  let [sum, largest] = [0, 0];
  for (const value of g) {
    sum += Math.abs(value);
    largest = Math.max(largest, Math.abs(value));
  }
  return norm === 'linf' ? sum : largest;
}

function shownImages(
  { images, victim: { size } }: AttackTask,
  samples: readonly number[],
  delta: Float32Array,
): Float32Array {
  const shown = takeRows(images, size, samples);
  for (let i = 0; i < shown.length; i++) shown[i]! += delta[i]!;
  return shown;
}

const goalsOf = (
  { labels, targets }: AttackTask,
  samples: readonly number[],
): { labels: number[]; targets?: number[] } => ({
  labels: samples.map((sample) => labels[sample] ?? 0),
  ...(targets ? { targets: samples.map((sample) => targets[sample] ?? 0) } : {}),
});

function countCall({ ledger }: AttackTask, sample: number): void {
  ledger.queries[sample]! += 1;
  ledger.gradientCalls[sample]! += 1;
}

function keepBest(
  task: AttackTask,
  sample: number,
  image: Float32Array,
  best: Float64Array,
  i: number,
  step: number,
): void {
  const distance = perturbationNorms(image, rowOf(task.images, task.victim.size, sample))[task.norm];
  if (distance >= best[i]!) return;
  best[i] = distance;
  keepSuccess(task, sample, image, step);
}
