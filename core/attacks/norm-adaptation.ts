import { tensor, type Tensor } from '../base/tensor.ts';
import { implement, type Implementation } from './attack.ts';
import { ddn, fmn } from './catalogue-minimal.ts';
import { normLoop, type NormRule } from './norm-loop.ts';
import { columnRows, keepNearest, nearestState, searchRows, zeroRows } from './row-search.ts';
import { survivors, type AttackTask, type Pulse } from './task.ts';
import { oneHot } from './victim.ts';

/** From `first` to `last` along half a cosine. */
const cosine = (first: number, last: number, step: number, steps: number): number =>
  last + 0.5 * (first - last) * (1 + Math.cos((Math.PI * step) / steps));

/** Attacks that move on a ball and change its radius: smaller after a success, larger after a failure. */
export const normAttacks: readonly Implementation[] = [
  implement(ddn, (task, { steps, firstNorm, gamma }) =>
    adaptNorm(task, {
      attack: 'ddn',
      steps,
      firstRadius: firstNorm * widthOf(task),
      stepSizeAt: (step) => cosine(1, 0.01, step, steps),
      changeAt: () => gamma,
    }),
  ),
  implement(fmn, (task, { steps, stepSize, gamma }) =>
    adaptNorm(task, {
      attack: 'fmn',
      steps,
      firstRadius: Infinity,
      stepSizeAt: (step) => cosine(stepSize, stepSize / 100, step, steps),
      changeAt: (step) => cosine(gamma, 0.001, step, steps),
    }),
  ),
];

const widthOf = ({ victim: { bounds } }: AttackTask): number => bounds[1] - bounds[0];

interface Adaptation {
  readonly attack: NormRule['attack'];
  readonly steps: number;
  readonly firstRadius: number;
  /** As a share of the box. */
  readonly stepSizeAt: (step: number) => number;
  /** Share by which the radius changes. */
  readonly changeAt: (step: number) => number;
}

async function* adaptNorm(task: AttackTask, plan: Adaptation): AsyncGenerator<Pulse, void, void> {
  const { victim, targets, labels, norm } = task;
  const rule: NormRule = { attack: plan.attack, norm: norm === 'l0' ? 'l2' : norm, isTargeted: targets !== undefined };
  const dims = victim.model.shape;
  const samples = survivors(task);
  const nearest = nearestState(task);
  const column = (from: number, count: number, at: (step: number) => number): Tensor =>
    tensor(
      'float32',
      [count],
      Float32Array.from({ length: count }, (_, k) => at(from + k)),
    );
  yield* searchRows(task, {
    key: `norm ${JSON.stringify(rule)}`,
    definition: normLoop(rule, victim.model, victim.bounds),
    samples,
    steps: plan.steps,
    state: {
      ...nearest,
      delta: zeroRows(task),
      radius: columnRows(task.count, plan.firstRadius),
    },
    shared: {
      clean: { data: task.images, dims },
      goal: { data: oneHot(targets ?? labels, victim.classes), dims: [victim.classes] },
    },
    feeds: (from, count) => ({
      stepSize: column(from, count, (step) => plan.stepSizeAt(step) * widthOf(task)),
      change: column(from, count, plan.changeAt),
    }),
    calls: { queries: 1, gradients: 1 },
    pulse: { done: 0, total: plan.steps },
  });
  keepNearest(task, samples, nearest);
}
