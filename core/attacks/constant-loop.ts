import { invariant } from '../base/errors.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';
import { isFiniteSum, lossGradient, type AttackedModel } from './look.ts';
import { isPredicted, type Objective } from './objectives.ts';
import { sizeIn } from './row-search.ts';
import type { LoopDefinition } from './victim.ts';

export interface ConstantRule {
  readonly attack: 'carlini-wagner' | 'ead';
  /** What the smallest is measured by. */
  readonly norm: 'l2' | 'l1';
  readonly isTargeted: boolean;
  /** β of EAD. */
  readonly sparsity: number;
}

/** What the attack moves, [B, C, H, W] each: w and Adam's moments, or the shrunken image and the slack one ahead of it. */
export const movedBy = { 'carlini-wagner': ['w', 'm', 'v'], ead: ['x', 'y'] } as const;

/**
 * One step of minimising distance + c · max(0, κ − margin) as a Loop body. State as `movedBy` names it and `best` [B, C, H, W];
 * `bestSize`, `won` (1 after a success in this round), `lossBefore` (at the last check) and `done` [B, 1, 1, 1]. Each step is
 * fed with [rate, spread or inertia, check]; shared `clean`, `goal` [B, K] one-hot label or target, `constant`
 * [B, 1, 1, 1] c and the scalar `confidence` κ. Where `check` is 1 an image is done whose loss has not fallen by a
 * ten-thousandth since the last.
 */
export function constantLoop(
  rule: ConstantRule,
  model: AttackedModel,
  bounds: readonly [number, number],
): LoopDefinition {
  const { shape, classes } = model;
  const objective: Objective = rule.isTargeted ? 'margin-targeted' : 'margin';
  const moved = movedBy[rule.attack];
  return {
    types(batch) {
      const image = { dtype: 'float32', shape: [batch, ...shape] } as const;
      const number = { dtype: 'float32', shape: [batch, 1, 1, 1] } as const;
      return {
        state: {
          ...Object.fromEntries([...moved, 'best'].map((name) => [name, image])),
          ...Object.fromEntries(['bestSize', 'won', 'lossBefore', 'done'].map((name) => [name, number])),
        },
        steps: { scalars: { dtype: 'float32', shape: [3] } },
        shared: {
          clean: image,
          goal: { dtype: 'float32', shape: [batch, classes] },
          constant: number,
          confidence: { dtype: 'float32', shape: [] },
        },
      };
    },
    body:
      (look) =>
      (g, { state, steps: { scalars }, shared: { clean, goal, constant, confidence } }) => {
        const { best, bestSize, won, lossBefore, done } = state;
        invariant(best && bestSize && won && lossBefore && done, 'the loop carries its state');
        invariant(scalars && clean && goal && constant && confidence, 'the loop is fed');
        const [rate, second, check] = [0, 1, 2].map((i) => g.reshape(g.slice(scalars, [0], [i], [i + 1]), []));
        invariant(rate && second && check, 'a step has three numbers');
        const batch = clean.shape[0] ?? 1;
        const column = (v: Value): Value => g.reshape(v, [batch, 1, 1, 1]);
        const step = { g, state, rate, second, clean, bounds };
        const way = rule.attack === 'ead' ? slackImage(step, rule.sparsity) : tanhImage(step);
        const { image, distance } = way;
        const goals = { labels: goal, targets: goal };
        const found = lossGradient(g, look, model, objective, { seen: image, images: image, goals });
        const margin = column(found.loss);
        const hit = column(isPredicted(g, found.logits, goal));
        const wanted = rule.isTargeted ? hit : g.sub(1, hit);
        const active = g.less(done, 0.5);
        const isSuccess = g.and(g.and(g.greater(wanted, 0.5), active), g.greaterOrEqual(margin, confidence));
        const size = sizeIn(g, rule.norm, g.sub(image, clean));
        const isNearest = g.and(isSuccess, g.less(size, bestSize));
        const missing = g.relu(g.sub(confidence, margin));
        const length = g.reduceL1(found.gradient, [1, 2, 3], true);
        const gradient = g.where(isFiniteSum(g, length), found.gradient, g.scalar(0));
        const push = g.where(g.greater(missing, 0), constant, g.scalar(0));
        const loss = g.add(distance, g.mul(constant, missing));
        const isCheck = g.greater(check, 0.5);
        const stalls = g.cast(g.and(isCheck, g.greater(loss, g.mul(lossBefore, 0.9999))), 'float32');
        return {
          state: {
            ...way.next(g.mul(gradient, push)),
            best: g.where(isNearest, image, best),
            bestSize: g.where(isNearest, size, bestSize),
            won: g.max(won, g.cast(isSuccess, 'float32')),
            lossBefore: g.where(isCheck, loss, lossBefore),
            done: g.max(done, stalls),
          },
          trace: {
            found: g.reshape(g.cast(isSuccess, 'float32'), [batch]),
            length: g.reshape(g.where(active, length, g.scalar(-1)), [batch]),
          },
        };
      },
  };
}

interface Step {
  readonly g: GraphBuilder;
  readonly state: Readonly<Record<string, Value>>;
  readonly rate: Value;
  readonly second: Value;
  readonly clean: Value;
  readonly bounds: readonly [number, number];
}

interface Way {
  /** What the model sees. */
  readonly image: Value;
  /** What is made small beside the margin [B, 1, 1, 1]. */
  readonly distance: Value;
  /** `pull`: c times the gradient of the margin at the image. */
  next(pull: Value): Readonly<Record<string, Value>>;
}

const squares = (g: GraphBuilder, d: Value): Value => g.reduceSum(g.mul(d, d), [1, 2, 3], true);

/** ‖x' − x‖² with x' = middle + half · tanh(w), by Adam on w (β 0.9, 0.999, ε 1e-8; rate and `second` hold the corrections). */
function tanhImage({ g, state: { w, m, v }, rate, second, clean, bounds: [low, high] }: Step): Way {
  invariant(w && m && v, 'Adam has its state');
  const half = (high - low) / 2;
  // From the exponential: at the edge of the box the slope of tanh is lost in its rounding.
  const e = g.exp(g.mul(g.abs(w), -2));
  const one = g.add(e, 1);
  const t = g.mul(g.sign(w), g.div(g.sub(1, e), one));
  const slope = g.div(g.mul(e, 4 * half), g.mul(one, one));
  const image = g.add(g.mul(t, half), (low + high) / 2);
  const d = g.sub(image, clean);
  return {
    image,
    distance: squares(g, d),
    next(pull) {
      const gradient = g.mul(g.sub(g.mul(d, 2), pull), slope);
      const nextM = g.add(g.mul(m, 0.9), g.mul(gradient, 0.1));
      const nextV = g.add(g.mul(v, 0.999), g.mul(g.mul(gradient, gradient), 0.001));
      const spread = g.add(g.sqrt(g.mul(nextV, second)), 1e-8);
      return { w: g.sub(w, g.div(g.mul(nextM, rate), spread)), m: nextM, v: nextV };
    },
  };
}

/**
 * ‖x' − x‖² + β ‖x' − x‖₁ by FISTA: a gradient step, then what is nearer to the clean pixel than β is put back (Chen et al.
 * 2018). The gradient is taken at the slack image, which saves a look at the model in each step.
 */
function slackImage({ g, state: { x, y }, rate, second, clean, bounds }: Step, beta: number): Way {
  invariant(x && y, 'FISTA has its state');
  const d = g.sub(y, clean);
  return {
    image: y,
    distance: g.add(squares(g, d), g.mul(g.reduceL1(d, [1, 2, 3], true), beta)),
    next(pull) {
      const free = g.sub(d, g.mul(g.sub(g.mul(d, 2), pull), rate));
      const shrunk = g.mul(g.sign(free), g.relu(g.sub(g.abs(free), beta)));
      const next = g.clip(g.add(clean, shrunk), ...bounds);
      return { x: next, y: g.clip(g.add(next, g.mul(g.sub(next, x), second)), ...bounds) };
    },
  };
}
