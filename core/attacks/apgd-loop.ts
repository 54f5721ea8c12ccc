import { invariant } from '../base/errors.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';
import { isFiniteSum, lossGradient, type AttackedModel } from './look.ts';
import { isPredicted, type Objective } from './objectives.ts';
import type { LoopDefinition } from './victim.ts';

export interface ApgdRule {
  readonly norm: 'linf' | 'l2';
  readonly objective: Objective;
  /** Success is the target, not any wrong class. */
  readonly isTargeted: boolean;
  /** A success ends the search of an image; not with a random defence, where other draws decide. */
  readonly stops: boolean;
}

/** What one step of `apgdLoop` is fed with. */
export interface ApgdStep {
  /** The start has no step before it. */
  readonly isFirst: boolean;
  /** ρ times the steps since the last checkpoint, where this is one. */
  readonly fewestRises: number | undefined;
}

/**
 * Checkpoints of APGD: the first after 22 % of the steps, each next window 3 % of the steps shorter, at least 6 % (Croce &
 * Hein 2020, section 3.2, as released). Step 0 is the start; `steps` gradients follow it.
 */
export function apgdSchedule(steps: number, rho: number): ApgdStep[] {
  const share = (part: number): number => Math.max(Math.floor(part * steps), 1);
  let window = share(0.22);
  let since = 0;
  const schedule: ApgdStep[] = [{ isFirst: true, fewestRises: undefined }];
  for (let step = 1; step <= steps; step++) {
    since++;
    const isCheckpoint = since === window;
    schedule.push({ isFirst: false, fewestRises: isCheckpoint ? rho * window : undefined });
    if (!isCheckpoint) continue;
    window = Math.max(window - share(0.03), share(0.06));
    since = 0;
  }
  return schedule;
}

/** Numbers of a step as the loop reads them: [first, momentum, checkpoint, fewest rises]. */
export const apgdScalars = ({ isFirst, fewestRises }: ApgdStep): readonly number[] => [
  Number(isFirst),
  isFirst ? 1 : 0.75,
  fewestRises === undefined ? 0 : 1,
  fewestRises ?? 0,
];

const images = ['x', 'before', 'best', 'bestGradient'] as const;
const numbers = [
  'bestLoss',
  'lastLoss',
  'rises',
  'stepSize',
  /** 1 where the step was halved at the last checkpoint. */
  'halved',
  /** Best loss at the last checkpoint. */
  'checkedLoss',
  'done',
] as const;
export const apgdState = { images, numbers } as const;

/**
 * Auto-PGD as a Loop body: look at x, keep what is best, at checkpoints halve the step of images that do not rise and take
 * them back to their best, then move with momentum. An image that is where the attacker wants it stays there.
 */
export function apgdLoop(rule: ApgdRule, model: AttackedModel, bounds: readonly [number, number]): LoopDefinition {
  const { shape, classes } = model;
  const hasTargets = rule.isTargeted || rule.objective.endsWith('-targeted');
  return {
    types(batch) {
      const image = { dtype: 'float32', shape: [batch, ...shape] } as const;
      const number = { dtype: 'float32', shape: [batch, 1, 1, 1] } as const;
      const goal = { dtype: 'float32', shape: [batch, classes] } as const;
      return {
        state: {
          ...Object.fromEntries(images.map((name) => [name, image])),
          ...Object.fromEntries(numbers.map((name) => [name, number])),
        },
        steps: { scalars: { dtype: 'float32', shape: [4] } },
        shared: {
          clean: image,
          labels: goal,
          ...(hasTargets ? { targets: goal } : {}),
          epsilon: { dtype: 'float32', shape: [] },
        },
      };
    },
    body:
      (look) =>
      (g, { state, steps, shared }) => {
        const from = (values: Readonly<Record<string, Value>>, name: string): Value => {
          const value = values[name];
          invariant(value, `the loop has ${name}`);
          return value;
        };
        const s = (name: (typeof images)[number] | (typeof numbers)[number]): Value => from(state, name);
        const scalar = (i: number): Value => g.reshape(g.slice(from(steps, 'scalars'), [0], [i], [i + 1]), []);
        const [isFirst, mix, isCheckpoint, fewest] = [scalar(0), scalar(1), scalar(2), scalar(3)];
        const x = s('x');
        const batch = x.shape[0] ?? 1;
        const column = (v: Value): Value => g.reshape(v, [batch, 1, 1, 1]);
        const goals = { labels: from(shared, 'labels'), targets: shared['targets'] };
        const found = lossGradient(g, look, model, rule.objective, { seen: x, images: x, goals });
        const { logits, loss: rows, gradient: raw } = found;
        const loss = column(rows);
        const length = g.reduceL1(raw, [1, 2, 3], true);
        const isNumber = isFiniteSum(g, length);
        const gradient = g.where(isNumber, raw, g.scalar(0));
        const hit = isPredicted(g, logits, rule.isTargeted ? from(shared, 'targets') : from(shared, 'labels'));
        const wanted = column(rule.isTargeted ? hit : g.sub(1, hit));
        const done = rule.stops ? g.max(s('done'), wanted) : s('done');

        const isBest = g.greater(g.max(g.cast(g.greater(loss, s('bestLoss')), 'float32'), isFirst), 0.5);
        const best = g.where(isBest, x, s('best'));
        const bestGradient = g.where(isBest, gradient, s('bestGradient'));
        const bestLoss = g.where(isBest, loss, s('bestLoss'));
        // The loss before the first step counts as 0 here, as in the released code.
        const notFirst = g.sub(1, isFirst);
        const rises = g.add(s('rises'), g.mul(g.cast(g.greater(loss, s('lastLoss')), 'float32'), notFirst));
        const lastLoss = g.mul(loss, notFirst);
        const checked = g.where(g.greater(isFirst, 0.5), loss, s('checkedLoss'));

        const oscillates = g.cast(g.lessOrEqual(rises, fewest), 'float32');
        const noBetter = g.cast(g.greaterOrEqual(checked, bestLoss), 'float32');
        const halves = g.mul(g.max(oscillates, g.mul(g.sub(1, s('halved')), noBetter)), isCheckpoint);
        const isHalved = g.greater(halves, 0.5);
        const stepSize = g.where(isHalved, g.mul(s('stepSize'), 0.5), s('stepSize'));
        const at = g.where(isHalved, best, x);
        const slope = g.where(isHalved, bestGradient, gradient);
        const atCheckpoint = g.greater(isCheckpoint, 0.5);

        const project = projection(g, rule.norm, from(shared, 'clean'), from(shared, 'epsilon'), bounds);
        const direction = rule.norm === 'linf' ? g.sign(slope) : g.div(slope, g.add(lengthOf(g, slope), 1e-12));
        const ahead = project(g.add(at, g.mul(direction, stepSize)));
        const inertia = g.mul(g.sub(at, s('before')), g.sub(1, mix));
        const moved = project(g.add(g.add(at, g.mul(g.sub(ahead, at), mix)), inertia));
        const isDone = g.greater(done, 0.5);
        return {
          state: {
            x: g.where(isDone, x, moved),
            before: at,
            best,
            bestGradient,
            bestLoss,
            lastLoss,
            rises: g.where(atCheckpoint, g.scalar(0), rises),
            stepSize,
            halved: g.where(atCheckpoint, halves, s('halved')),
            checkedLoss: g.where(atCheckpoint, bestLoss, checked),
            done,
          },
          trace: { hit: g.reshape(wanted, [batch]), length: g.reshape(length, [batch]), loss: rows },
        };
      },
  };
}

const lengthOf = (g: GraphBuilder, v: Value): Value => g.sqrt(g.reduceSum(g.mul(v, v), [1, 2, 3], true));

/** The nearest point of the ball, then of the box. */
function projection(
  g: GraphBuilder,
  norm: ApgdRule['norm'],
  clean: Value,
  epsilon: Value,
  [low, high]: readonly [number, number],
): (x: Value) => Value {
  if (norm === 'linf') {
    const least = g.max(g.sub(clean, epsilon), low);
    const most = g.min(g.add(clean, epsilon), high);
    return (x) => g.min(g.max(x, least), most);
  }
  return (x) => {
    const delta = g.sub(x, clean);
    const length = lengthOf(g, delta);
    const scale = g.div(g.min(length, epsilon), g.add(length, 1e-12));
    return g.clip(g.add(clean, g.mul(delta, scale)), low, high);
  };
}
