import { rankedTargets } from './apgd.ts';
import { implement } from './attack.ts';
import { deepFool } from './catalogue-minimal.ts';
import { approachBoundary } from './fab.ts';
import { stepToHyperplane } from './hyperplane.ts';
import { topClass } from '../metrics/classification.ts';
import { perturbationNorms, takeRows } from './perturbation.ts';
import { keepSuccess, raiseFlag, rowOf, survivors } from './task.ts';

/**
 * DeepFool (Moosavi-Dezfooli et al. 2016, algorithm 2): step to the nearest linearised boundary among the candidate classes,
 * until the class of x + (1 + η) r changes. The step is the smallest that stays in the box: |f| w / ‖w‖² (l2) or |f| sign(w) /
 * ‖w‖₁ (linf) where the box is far, and more along the other pixels where it is not.
 */
export const deepFoolAttack = implement(deepFool, async function* (task, { steps, candidates, overshoot, polish }) {
  const { victim, ledger, labels } = task;
  const { size, classes, bounds } = victim;
  const ranked = rankedTargets(task).map((all) => all.slice(0, candidates - 1));
  const norm = task.norm === 'linf' ? 'linf' : 'l2';
  const [way, zero] = [new Float32Array(size), new Float32Array(size)];
  const total = new Float32Array(task.count * size);
  let alive = survivors(task);
  let x = takeRows(task.images, size, alive);
  for (let step = 0; step < steps && alive.length > 0; step++) {
    const moves = alive.map(() => ({ distance: Infinity, step: new Float32Array(size) }));
    const most = Math.max(...alive.map((sample) => ranked[sample]?.length ?? 0));
    for (let rank = 0; rank < most; rank++) {
      const cotangents = new Float32Array(alive.length * classes);
      const others = alive.map((sample) => ranked[sample]?.[rank] ?? 0);
      alive.forEach((sample, i) => {
        cotangents[i * classes + others[i]!]! += 1;
        cotangents[i * classes + labels[sample]!]! -= 1;
        ledger.queries[sample]! += 1;
        ledger.gradientCalls[sample]! += 1;
      });
      const { logits, gradient } = await victim.vjp(x, cotangents);
      alive.forEach((sample, i) => {
        const [w, here] = [rowOf(gradient, size, i), rowOf(x, size, i)];
        const gap = logits[i * classes + others[i]!]! - logits[i * classes + labels[sample]!]!;
        let b = -gap;
        for (let j = 0; j < size; j++) b += w[j]! * here[j]!;
        if (Number.isNaN(b)) return raiseFlag(ledger, sample, 'nan-gradient');
        stepToHyperplane(norm, here, w, b, bounds, way);
        const distance = perturbationNorms(way, zero)[norm];
        if (distance < moves[i]!.distance && distance > 0) moves[i] = { distance, step: Float32Array.from(way) };
      });
    }
    alive.forEach((sample, i) => {
      const [r, here, clean] = [rowOf(total, size, sample), rowOf(x, size, i), rowOf(task.images, size, sample)];
      moves[i]!.step.forEach((value, j) => {
        r[j]! += value;
        here[j] = Math.min(Math.max(clean[j]! + (1 + overshoot) * r[j]!, bounds[0]), bounds[1]);
      });
    });
    const logits = await victim.logits(x);
    const still = Array.from(alive.keys()).filter((i) => {
      const sample = alive[i]!;
      ledger.queries[sample]! += 1;
      const here = rowOf(x, size, i);
      if (topClass(logits, i, classes) !== labels[sample]) {
        keepSuccess(task, sample, here, step);
        return false;
      }
      ledger.images.set(here, sample * size);
      return true;
    });
    x = takeRows(x, size, still);
    alive = still.map((i) => alive[i]!);
    yield { done: step, total: steps };
  }
  const found = Array.from({ length: task.count }, (_, i) => i).filter((i) => ledger.isFooled[i] === 1);
  const reached = await victim.logits(ledger.images);
  yield* approachBoundary(task, {
    options: { steps: found.length > 0 ? polish : 0, alphaMax: 0.1, eta: 1.05, beta: 0.9 },
    samples: found,
    targets: Int32Array.from(labels, (_, i) => topClass(reached, i, classes)),
    start: takeRows(ledger.images, size, found),
    stopsInside: false,
    pulse: { done: 0, total: polish },
  });
});
