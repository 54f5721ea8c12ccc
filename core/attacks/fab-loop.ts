import { invariant } from '../base/errors.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';
import { stepToPlane } from './hyperplane-loop.ts';
import { inputGradient, isFiniteSum, type AttackedModel, type Look } from './look.ts';
import { isPredicted } from './objectives.ts';
import { sizeIn } from './row-search.ts';
import type { LoopDefinition } from './victim.ts';

export interface FabRule {
  readonly norm: 'linf' | 'l2' | 'l1';
  /** The plane of the class in `targets`, or one that is given. */
  readonly plane: 'target' | 'given';
  /** Leave an image alone once what was found lies in the ball: smaller would change no verdict. */
  readonly stopsInside: boolean;
}

const kinds = (model: AttackedModel, batch: number) =>
  ({
    image: { dtype: 'float32', shape: [batch, ...model.shape] },
    number: { dtype: 'float32', shape: [batch, 1, 1, 1] },
    goal: { dtype: 'float32', shape: [batch, model.classes] },
    scalar: { dtype: 'float32', shape: [] },
  }) as const;

/**
 * One step of FAB as a Loop body (Croce & Hein 2020b, algorithm 1): project the image and the clean one to the plane that a
 * boundary looks like from here, go between the two, look, and after a success come back towards the clean image. State
 * `x`, `best` [B, C, H, W], `bestSize`, `done` [B, 1, 1, 1]; shared `clean`, `labels` [B, K] one-hot, the scalars `alphaMax`,
 * `eta`, `beta`, `epsilon`, and `targets` [B, K] or the plane's `normal` [B, C, H, W] and `gap` [B, 1, 1, 1].
 */
export function fabLoop(rule: FabRule, model: AttackedModel, bounds: readonly [number, number]): LoopDefinition {
  return {
    types(batch) {
      const { image, number, goal, scalar } = kinds(model, batch);
      return {
        state: { x: image, best: image, bestSize: number, done: number },
        steps: {},
        shared: {
          clean: image,
          labels: goal,
          ...(rule.plane === 'target' ? { targets: goal } : { normal: image, gap: number }),
          alphaMax: scalar,
          eta: scalar,
          beta: scalar,
          epsilon: scalar,
        },
      };
    },
    body:
      (look) =>
      (g, { state: { x, best, bestSize, done }, shared }) => {
        const { clean, labels, targets, alphaMax, eta, beta, epsilon } = shared;
        invariant(x && best && bestSize && done, 'the loop carries its state');
        invariant(clean && labels && alphaMax && eta && beta && epsilon, 'the loop is fed');
        const batch = x.shape[0] ?? 1;
        const { normal, gap } = targets ? planeAt(g, look, model, { x, labels, others: targets }) : shared;
        invariant(normal && gap, 'there is a plane');
        const length = g.reduceL1(normal, [1, 2, 3], true);
        const moved = between(g, rule, { x, clean, normal, gap, alphaMax, eta, bounds });
        // The plane's place holds a product with every part of the normal.
        const next = g.where(g.and(isFiniteSum(g, length), isFiniteSum(g, g.abs(gap))), moved, x);

        const stays = g.reshape(isPredicted(g, look(g, next), labels), [batch, 1, 1, 1]);
        const isActive = g.less(done, 0.5);
        const isWanted = g.and(g.less(stays, 0.5), isActive);
        const offset = g.sub(next, clean);
        const size = sizeIn(g, rule.norm, offset);
        const isNearest = g.and(isWanted, g.less(size, bestSize));
        const nearest = g.where(isNearest, size, bestSize);
        const inside = g.cast(g.and(isWanted, g.lessOrEqual(nearest, epsilon)), 'float32');
        return {
          state: {
            x: g.where(isWanted, g.add(clean, g.mul(offset, beta)), next),
            best: g.where(isNearest, next, best),
            bestSize: nearest,
            done: rule.stopsInside ? g.max(done, inside) : done,
          },
          trace: {
            found: g.reshape(inside, [batch]),
            length: g.reshape(g.where(isActive, length, g.scalar(-1)), [batch]),
          },
        };
      },
  };
}

/** z_other − z_y linearised at x: its gradient [B, C, H, W] and its value there [B, 1, 1, 1]. */
function planeAt(
  g: GraphBuilder,
  look: Look,
  model: AttackedModel,
  { x, labels, others }: { readonly x: Value; readonly labels: Value; readonly others: Value },
): { readonly normal: Value; readonly gap: Value } {
  const logits = look(g, x);
  const cotangent = g.sub(others, labels);
  const normal = inputGradient(g, logits, cotangent, x, model);
  return { normal, gap: g.reshape(g.reduceSum(g.mul(logits, cotangent), [1]), [x.shape[0] ?? 1, 1, 1, 1]) };
}

interface Between {
  readonly x: Value;
  readonly clean: Value;
  readonly normal: Value;
  readonly gap: Value;
  readonly alphaMax: Value;
  readonly eta: Value;
  readonly bounds: readonly [number, number];
}

/** Between the projections of the image and of the clean one, the nearer to the one whose step is shorter. */
function between(g: GraphBuilder, { norm }: FabRule, place: Between): Value {
  const { x, clean, normal, gap, alphaMax, eta, bounds } = place;
  const batch = x.shape[0] ?? 1;
  const cleanGap = g.add(gap, g.reduceSum(g.mul(normal, g.sub(clean, x)), [1, 2, 3], true));
  // Both at once, one below the other.
  const both = stepToPlane(g, norm, {
    from: g.concat([x, clean], 0),
    normal: g.concat([normal, normal], 0),
    gap: g.concat([gap, cleanGap], 0),
    bounds,
  });
  const toPlane = g.slice(both, [0], [0], [batch]);
  const fromClean = g.slice(both, [0], [batch], [2 * batch]);
  const near = g.max(sizeIn(g, norm, toPlane), 1e-8);
  const far = g.max(sizeIn(g, norm, fromClean), 1e-8);
  const alpha = g.min(g.div(near, g.add(near, far)), alphaMax);
  const ahead = g.add(x, g.mul(toPlane, eta));
  const behind = g.add(clean, g.mul(fromClean, eta));
  return g.clip(g.add(ahead, g.mul(g.sub(behind, ahead), alpha)), ...bounds);
}

const dual = { linf: 'l1', l2: 'l2', l1: 'linf' } as const;

/**
 * The nearest plane of all other classes, one class a step. State `normal` [B, C, H, W], `gap` and its distance `shortest`
 * [B, 1, 1, 1]; by step `others` [B, K] one-hot; shared `x`, `labels`.
 */
export function nearestPlaneLoop(norm: FabRule['norm'], model: AttackedModel): LoopDefinition {
  return {
    types(batch) {
      const { image, number, goal } = kinds(model, batch);
      return {
        state: { normal: image, gap: number, shortest: number },
        steps: { others: goal },
        shared: { x: image, labels: goal },
      };
    },
    body:
      (look) =>
      (g, { state: { normal, gap, shortest }, steps: { others }, shared: { x, labels } }) => {
        invariant(normal && gap && shortest && others && x && labels, 'the loop has its values');
        const plane = planeAt(g, look, model, { x, labels, others });
        const length = g.reduceL1(plane.normal, [1, 2, 3], true);
        const distance = g.div(g.abs(plane.gap), g.add(sizeIn(g, dual[norm], plane.normal), 1e-12));
        const isNearer = g.and(g.less(distance, shortest), isFiniteSum(g, length));
        const batch = x.shape[0] ?? 1;
        return {
          state: {
            normal: g.where(isNearer, plane.normal, normal),
            gap: g.where(isNearer, plane.gap, gap),
            shortest: g.where(isNearer, distance, shortest),
          },
          trace: { found: g.full([batch], 0), length: g.reshape(length, [batch]) },
        };
      },
  };
}
