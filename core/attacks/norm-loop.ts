import { invariant } from '../base/errors.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';
import type { Norm } from './catalogue-kinds.ts';
import { isFiniteSum, lossGradient, type AttackedModel } from './look.ts';
import { isPredicted, type Objective } from './objectives.ts';
import { sizeIn } from './row-search.ts';
import type { LoopDefinition } from './victim.ts';

export interface NormRule {
  readonly attack: 'ddn' | 'fmn';
  readonly norm: Exclude<Norm, 'l0'>;
  readonly isTargeted: boolean;
}

/**
 * One step of DDN or FMN as a Loop body: look at the image, keep it if it is the nearest adversarial one, make the radius
 * smaller after a success and larger after a failure, step along the gradient, and go to the sphere (DDN) or into the ball
 * (FMN). State `delta`, `best` [B, C, H, W], `radius`, `bestSize` [B, 1, 1, 1]; by step `stepSize` in units of the bounds and
 * `change` of the radius; shared `clean`, `goal` [B, K] one-hot label or target.
 */
export function normLoop(rule: NormRule, model: AttackedModel, bounds: readonly [number, number]): LoopDefinition {
  const { shape, classes } = model;
  const objective: Objective = `${rule.attack === 'ddn' ? 'cross-entropy' : 'margin'}${rule.isTargeted ? '-targeted' : ''}`;
  return {
    types(batch) {
      const image = { dtype: 'float32', shape: [batch, ...shape] } as const;
      const number = { dtype: 'float32', shape: [batch, 1, 1, 1] } as const;
      const scalar = { dtype: 'float32', shape: [] } as const;
      return {
        state: { delta: image, best: image, radius: number, bestSize: number },
        steps: { stepSize: scalar, change: scalar },
        shared: { clean: image, goal: { dtype: 'float32', shape: [batch, classes] } },
      };
    },
    body:
      (look) =>
      (g, { state: { delta, best, radius, bestSize }, steps: { stepSize, change }, shared: { clean, goal } }) => {
        invariant(
          delta && best && radius && bestSize && stepSize && change && clean && goal,
          'the loop has its values',
        );
        const batch = clean.shape[0] ?? 1;
        const x = g.add(clean, delta);
        const goals = { labels: goal, targets: goal };
        const { logits, loss, gradient } = lossGradient(g, look, model, objective, { seen: x, images: x, goals });
        const hit = g.reshape(isPredicted(g, logits, goal), [batch, 1, 1, 1]);
        const wanted = rule.isTargeted ? hit : g.sub(1, hit);
        const isWanted = g.greater(wanted, 0.5);
        const size = sizeIn(g, rule.norm, g.sub(x, clean));
        const isNearest = g.and(isWanted, g.less(size, bestSize));
        const nearest = g.where(isNearest, size, bestSize);
        const sum = g.reduceL1(gradient, [1, 2, 3], true);
        const isNumber = isFiniteSum(g, sum);
        const at = { x, clean, gradient, stepSize, radius, change, isWanted, bounds };
        const next =
          rule.attack === 'ddn'
            ? onSphere(g, at, delta)
            : intoBall(g, rule.norm, { ...at, size, bestSize: nearest, margin: g.reshape(loss, [batch, 1, 1, 1]) });
        return {
          state: {
            delta: g.where(isNumber, next.delta, delta),
            radius: g.where(isNumber, next.radius, radius),
            best: g.where(isNearest, x, best),
            bestSize: nearest,
          },
          trace: { found: g.reshape(wanted, [batch]), length: g.reshape(sum, [batch]) },
        };
      },
  };
}

interface Place {
  readonly x: Value;
  readonly clean: Value;
  readonly gradient: Value;
  readonly stepSize: Value;
  readonly radius: Value;
  readonly change: Value;
  readonly isWanted: Value;
  readonly bounds: readonly [number, number];
}

interface Moved {
  readonly delta: Value;
  readonly radius: Value;
}

const along = (g: GraphBuilder, { gradient, stepSize }: Place): Value =>
  g.mul(gradient, g.div(stepSize, g.max(sizeIn(g, 'l2', gradient), 1e-12)));

/** DDN (Rony et al. 2019, algorithm 1): the direction by the gradient, the length by the radius. */
function onSphere(g: GraphBuilder, place: Place, delta: Value): Moved {
  const { clean, change, isWanted, bounds } = place;
  const moved = g.add(delta, along(g, place));
  const radius = g.mul(place.radius, g.where(isWanted, g.sub(1, change), g.add(change, 1)));
  const scaled = g.mul(moved, g.div(radius, g.max(sizeIn(g, 'l2', moved), 1e-12)));
  return { radius, delta: g.sub(g.clip(g.add(clean, scaled), ...bounds), clean) };
}

interface Boundary {
  /** Of the perturbation looked at, and of the smallest adversarial one. */
  readonly size: Value;
  readonly bestSize: Value;
  readonly margin: Value;
}

/** On the boundary of a model that is linear there rounding decides, and the search would stay on the wrong side of it. */
const justBeyond = 1.001;
const dual = { linf: 'l1', l2: 'l2', l1: 'linf' } as const;

/** FMN (Pintor et al. 2021, algorithm 1): before the first success the radius is as far as the boundary seems to be. */
function intoBall(g: GraphBuilder, norm: NormRule['norm'], place: Place & Boundary): Moved {
  const { x, clean, gradient, change, isWanted, bounds, size, bestSize, margin } = place;
  const seems = g.mul(g.add(size, g.div(g.abs(margin), g.max(sizeIn(g, dual[norm], gradient), 1e-12))), justBeyond);
  const hasNone = g.greater(bestSize, 3e38);
  const larger = g.where(hasNone, seems, g.mul(place.radius, g.add(change, 1)));
  const radius = g.where(isWanted, g.min(g.mul(place.radius, g.sub(1, change)), bestSize), larger);
  // The box first: what it cuts off would be missing from the radius, and the search could stop short of it.
  const moved = g.sub(g.clip(g.add(x, along(g, place)), ...bounds), clean);
  return { radius, delta: projected(g, norm, moved, radius) };
}

/** The nearest point of the ball around zero. */
function projected(g: GraphBuilder, norm: NormRule['norm'], delta: Value, radius: Value): Value {
  if (norm === 'linf') return g.max(g.min(delta, radius), g.neg(radius));
  if (norm === 'l2') return g.mul(delta, g.min(g.div(radius, g.max(sizeIn(g, 'l2', delta), 1e-12)), 1));
  // Every size gives up λ, or all it has: λ from the sorted sizes (Duchi et al. 2008, “Efficient projections onto the
  // l1-ball”, figure 1).
  const [batch = 1] = delta.shape;
  const sizes = g.abs(delta);
  const count = sizes.shape.reduce((a, b) => a * b, 1) / batch;
  const [sorted] = g.op('TopK', [g.reshape(sizes, [batch, count]), g.ints([count])], {}, { outputs: 2 });
  invariant(sorted, 'TopK has two outputs');
  const [sums] = g.op('CumSum', [sorted, g.scalar(1, 'int64')]);
  invariant(sums, 'CumSum has an output');
  const ranks = g.floats(
    [1, count],
    Array.from({ length: count }, (_, i) => i + 1),
  );
  // λ(ρ) = (Σ_{i ≤ ρ} − r) / ρ grows while the ρ-th size is above it: its largest value is the right one.
  const levels = g.div(g.sub(sums, g.reshape(radius, [batch, 1])), ranks);
  const level = g.reshape(g.max(g.reduceMax(levels, [1], true), 0), [batch, 1, 1, 1]);
  return g.mul(g.sign(delta), g.relu(g.sub(sizes, level)));
}
