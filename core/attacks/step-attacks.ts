import { implement, type Implementation } from './attack.ts';
import { bim, diFgsm, fgsm, miFgsm, niFgsm, pgd, rfgsm, siFgsm, tiFgsm } from './catalogue-steps.ts';
import { descend, randomStarts } from './fixed-step.ts';
import type { StepRule } from './step-loop.ts';
import { rowOf, survivors, type AttackTask } from './task.ts';

/** With a random defence other draws decide: a success at a step ends nothing. */
const stopsIn = ({ victim }: AttackTask, stops: boolean): boolean => stops && victim.looks === 1;

const plainRule = ({ norm, targets }: AttackTask): StepRule => ({
  norm: norm === 'l2' ? 'l2' : 'linf',
  isTargeted: targets !== undefined,
  stops: false,
});

interface StepOptions {
  readonly stepSize?: number | undefined;
  readonly relativeStep: number;
}

const stepOf = ({ epsilon }: AttackTask, { stepSize, relativeStep }: StepOptions): number =>
  stepSize ?? relativeStep * epsilon;

/** How many steps of 1/255 of the box Kurakin, Goodfellow and Bengio 2017 take for an epsilon that is a share of the box. */
export const kurakinSteps = (share: number): number =>
  Math.max(1, Math.floor(Math.min(255 * share + 4, 1.25 * 255 * share) + 1e-6));

/** The attacks that take steps of a fixed size along a gradient; catalogue-steps.ts says whose they are. */
export const stepAttacks: readonly Implementation[] = [
  implement(fgsm, async function* (task) {
    yield* descend(task, {
      rule: plainRule(task),
      steps: 1,
      stepSize: task.epsilon,
      samples: survivors(task),
      pulse: { done: 0, total: 1 },
    });
  }),
  implement(rfgsm, async function* (task, { randomShare }) {
    const samples = survivors(task);
    yield* descend(task, {
      rule: plainRule(task),
      steps: 1,
      stepSize: task.epsilon * (1 - randomShare),
      start: signStarts(task, samples, task.epsilon * randomShare),
      samples,
      pulse: { done: 0, total: 1 },
    });
  }),
  implement(bim, async function* (task, options) {
    const [low, high] = task.victim.bounds;
    const isPaper = options.asInPaper && task.norm === 'linf';
    const count = isPaper ? kurakinSteps(task.epsilon / (high - low)) : options.steps;
    yield* descend(task, {
      rule: { ...plainRule(task), stops: stopsIn(task, options.stopsAtSuccess) },
      steps: count,
      stepSize: isPaper ? (high - low) / 255 : stepOf(task, options),
      samples: survivors(task),
      pulse: { done: 0, total: count },
    });
  }),
  implement(pgd, async function* (task, options) {
    const total = options.steps * options.restarts;
    const stops = stopsIn(task, options.stopsAtSuccess);
    for (let restart = 0; restart < options.restarts; restart++) {
      const samples = survivors(task);
      yield* descend(task, {
        rule: {
          ...plainRule(task),
          stops,
          ...(options.detectsCycles && stops && task.norm === 'linf' ? { hasPrints: true } : {}),
        },
        steps: options.steps,
        stepSize: stepOf(task, options),
        ...(options.randomStart ? { start: randomStarts(task, samples, task.norm, restart) } : {}),
        samples,
        pulse: { done: restart * options.steps, total },
      });
    }
  }),
  implement(miFgsm, (task, options) => withMomentum(task, options, { stops: stopsIn(task, options.stopsAtSuccess) })),
  implement(niFgsm, (task, options) => withMomentum(task, options, { looksAhead: true })),
  implement(siFgsm, (task, options) => withMomentum(task, options, { looksAhead: true, scales: options.scales })),
  implement(tiFgsm, (task, options) => withMomentum(task, options, { kernelSize: options.kernelSize })),
  implement(diFgsm, (task, options) => {
    const [, height, width] = task.victim.model.shape;
    return withMomentum(task, options, { hasViews: true }, (sample, step, row) => {
      const rng = task.random(sample, 1 + step);
      const isSeen = rng.uniform() < options.probability;
      const scale = isSeen ? options.smallest + (1 - options.smallest) * rng.uniform() : 1;
      const shift = (side: number): number => {
        const room = (1 - scale) * side;
        // In pixels from the middle, then in the units of a grid from −1 to 1.
        return isSeen ? ((rng.uniform() - 0.5) * room * 2) / side : 0;
      };
      const [down, right] = [shift(height), shift(width)];
      row.set([1 / scale, 0, -right / scale, 0, 1 / scale, -down / scale]);
    });
  }),
];

interface MomentumOptions extends StepOptions {
  readonly decay: number;
  readonly steps: number;
}

function withMomentum(
  task: AttackTask,
  options: MomentumOptions,
  rule: Partial<StepRule>,
  view?: (sample: number, step: number, row: Float32Array) => void,
): ReturnType<typeof descend> {
  return descend(task, {
    rule: { ...plainRule(task), decay: options.decay, ...rule },
    steps: options.steps,
    stepSize: stepOf(task, options),
    samples: survivors(task),
    pulse: { done: 0, total: options.steps },
    ...(view ? { view } : {}),
  });
}

/** size · sign(N(0, 1)) for each pixel (Tramèr et al. 2018, equation 7). */
function signStarts(task: AttackTask, samples: readonly number[], size: number): Float32Array {
  const width = task.victim.size;
  const starts = new Float32Array(task.count * width);
  const [low, high] = task.victim.bounds;
  for (const sample of samples) {
    const rng = task.random(sample, 0);
    const row = rowOf(starts, width, sample);
    const clean = rowOf(task.images, width, sample);
    for (let i = 0; i < width; i++) {
      const moved = clean[i]! + size * Math.sign(rng.normal());
      row[i] = Math.min(Math.max(moved, low), high) - clean[i]!;
    }
  }
  return starts;
}
