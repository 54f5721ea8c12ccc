import { permutation } from '../base/rng.ts';
import { implement } from './attack.ts';
import { simba } from './catalogue-blind.ts';
import { topClass } from '../metrics/classification.ts';
import { perturbationNorms } from './perturbation.ts';
import { isWanted, keepSuccess, rowOf, survivors } from './task.ts';

/** SimBA (Guo et al. 2019, algorithm 1): a pixel up or down, kept where the probability of the label falls. */
export const simbaAttack = implement(simba, async function* (task, { queries, stepSize }) {
  const { victim, ledger } = task;
  const {
    size,
    classes,
    bounds: [low, high],
  } = victim;
  const step = stepSize * (high - low);
  const orders = new Map<number, Int32Array>();
  const best = Float32Array.from(task.images);
  const score = new Float64Array(task.count);
  const scoreOf = (logits: Float32Array, sample: number): number => {
    const top = Math.max(...logits);
    const sum = logits.reduce((total, value) => total + Math.exp(value - top), 0);
    const goal = task.targets?.[sample] ?? task.labels[sample] ?? 0;
    const probability = Math.exp(logits[goal]! - top) / sum;
    return task.targets ? -probability : probability;
  };
  let alive = survivors(task);
  for (const sample of alive) {
    orders.set(sample, permutation(task.random(sample, 0), size));
    score[sample] = scoreOf(rowOf(task.cleanLogits, classes, sample), sample);
  }
  // Two queries for each direction at most; those of one sign are asked of all images at once.
  for (let turn = 0; 2 * turn + 1 < queries && alive.length > 0 && turn < size; turn++) {
    let waiting = alive;
    for (const sign of [-1, 1]) {
      const shown = new Float32Array(waiting.length * size);
      const moved = waiting.map((sample, i) => {
        const row = rowOf(shown, size, i);
        row.set(rowOf(best, size, sample));
        const pixel = orders.get(sample)?.[turn] ?? 0;
        const before = row[pixel]!;
        row[pixel] = Math.min(Math.max(before + sign * step, low), high);
        if (row[pixel] === before) return false;
        return perturbationNorms(row, rowOf(task.images, size, sample))[task.norm] <= task.epsilon;
      });
      const logits = await victim.logits(shown);
      const fallen = new Set<number>();
      const failed: number[] = [];
      waiting.forEach((sample, i) => {
        if (!moved[i]) return void failed.push(sample);
        ledger.queries[sample]! += 1;
        const row = rowOf(shown, size, i);
        const now = scoreOf(rowOf(logits, classes, i), sample);
        if (now >= score[sample]!) return void failed.push(sample);
        score[sample] = now;
        best.set(row, sample * size);
        if (!isWanted(task, sample, topClass(logits, i, classes))) return;
        keepSuccess(task, sample, row, turn);
        fallen.add(sample);
      });
      alive = alive.filter((sample) => !fallen.has(sample));
      waiting = failed;
      if (waiting.length === 0) break;
    }
    if (turn % 10 === 9) yield { done: 2 * turn, total: queries };
  }
  for (const sample of alive) ledger.images.set(rowOf(best, size, sample), sample * size);
});
