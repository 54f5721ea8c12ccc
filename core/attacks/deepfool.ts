import { float32 } from '../base/tensor.ts';
import { rankedTargets } from './apgd.ts';
import { implement } from './attack.ts';
import { deepFool } from './catalogue-minimal.ts';
import { deepFoolLoop } from './deepfool-loop.ts';
import { approachBoundary } from './fab.ts';
import { topClass } from '../metrics/classification.ts';
import { takeRows } from './perturbation.ts';
import { columnRows, oneHotSteps, searchRows, zeroRows } from './row-search.ts';
import { judgeImages, keepSuccess, rowOf, survivors, type AttackTask, type Pulse } from './task.ts';
import { oneHot } from './victim.ts';

/**
 * DeepFool (Moosavi-Dezfooli et al. 2016, algorithm 2): step to the nearest linearised boundary among the candidate classes,
 * until the class of x + (1 + η) r changes. The step is the smallest that stays in the box: |f| w / ‖w‖² (l2) or |f| sign(w) /
 * ‖w‖₁ (linf) where the box is far, and more along the other pixels where it is not.
 */
export const deepFoolAttack = implement(deepFool, async function* (task, options) {
  const { victim, ledger, labels, count } = task;
  const { size, classes } = victim;
  yield* overBoundaries(task, options);
  const polish = options.polish;
  const found = Array.from({ length: count }, (_, i) => i).filter((i) => ledger.isFooled[i] === 1);
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

interface Options {
  readonly steps: number;
  readonly candidates: number;
  readonly overshoot: number;
}

async function* overBoundaries(
  task: AttackTask,
  { steps, candidates, overshoot }: Options,
): AsyncGenerator<Pulse, void, void> {
  const { victim, ledger, labels, images } = task;
  const { size, classes } = victim;
  const dims = victim.model.shape;
  const ranked = rankedTargets(task);
  const ranks = Math.min(candidates, classes) - 1;
  const norm = task.norm === 'linf' ? 'linf' : 'l2';
  const x = { data: Float32Array.from(images), dims };
  const done = columnRows(task.count, 0);
  const samples = survivors(task);
  yield* searchRows(task, {
    key: `deepfool ${norm}`,
    definition: deepFoolLoop(norm, victim.model, victim.bounds),
    samples,
    steps: steps * ranks,
    state: { x, r: zeroRows(task), way: zeroRows(task), shortest: columnRows(task.count, Infinity), done },
    shared: {
      clean: { data: images, dims },
      labels: { data: oneHot(labels, classes), dims: [classes] },
    },
    scalars: { factor: 1 + overshoot },
    // Whether a step has led over the boundary is seen when the first candidate of the next one is looked at.
    chunkAt: (from) => (from === 0 ? ranks + 1 : ranks - ((from - 1) % ranks)),
    feeds: (from, count, rows, batch) => ({
      other: oneHotSteps(classes, { count, rows, batch }, (sample, k) => ranked[sample]?.[(from + k) % ranks] ?? 0),
      isLast: float32(
        [count],
        Array.from({ length: count }, (_, k) => Number((from + k) % ranks === ranks - 1)),
      ),
    }),
    calls: { queries: 1, gradients: 1 },
    pulse: { done: 0, total: steps * ranks },
  });
  for (const sample of samples) {
    if (done.data[sample] === 0) continue;
    const step = Math.floor(ledger.firstStep[sample]! / ranks) - 1;
    ledger.firstStep[sample] = -1;
    keepSuccess(task, sample, rowOf(x.data, size, sample), step);
  }
  const rest = samples.filter((sample) => done.data[sample] === 0);
  if (rest.length > 0) await judgeImages(task, rest, takeRows(x.data, size, rest), steps - 1);
}
