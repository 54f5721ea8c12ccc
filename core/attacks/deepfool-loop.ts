import { invariant } from '../base/errors.ts';
import type { Value } from '../autodiff/builder.ts';
import { stepToPlane } from './hyperplane-loop.ts';
import { inputGradient, isFiniteSum, type AttackedModel } from './look.ts';
import { isPredicted } from './objectives.ts';
import { sizeIn } from './row-search.ts';
import type { LoopDefinition } from './victim.ts';

/**
 * One candidate class of one step of DeepFool as a Loop body, so that its graph holds one gradient however many classes
 * there are: the way over the class's linearised boundary is kept if it is the shortest of this step, and after the last
 * candidate it is gone. State `x`, `r`, `way` [B, C, H, W], `shortest`, `done` [B, 1, 1, 1]; by step `other` [B, K] the
 * candidate one-hot and `isLast`; shared `clean`, `labels` [B, K] and the scalar `factor` 1 + η.
 */
export function deepFoolLoop(
  norm: 'l2' | 'linf',
  model: AttackedModel,
  bounds: readonly [number, number],
): LoopDefinition {
  const { shape, classes } = model;
  return {
    types(batch) {
      const image = { dtype: 'float32', shape: [batch, ...shape] } as const;
      const number = { dtype: 'float32', shape: [batch, 1, 1, 1] } as const;
      const goal = { dtype: 'float32', shape: [batch, classes] } as const;
      const scalar = { dtype: 'float32', shape: [] } as const;
      return {
        state: { x: image, r: image, way: image, shortest: number, done: number },
        steps: { other: goal, isLast: scalar },
        shared: { clean: image, labels: goal, factor: scalar },
      };
    },
    body:
      (look) =>
      (g, { state: { x, r, way, shortest, done }, steps, shared: { clean, labels, factor } }) => {
        const { other, isLast } = steps;
        invariant(x && r && way && shortest && done, 'the loop carries its state');
        invariant(other && isLast && clean && labels && factor, 'the loop is fed');
        const batch = x.shape[0] ?? 1;
        const column = (v: Value): Value => g.reshape(v, [batch, 1, 1, 1]);
        const logits = look(g, x);
        const cotangent = g.sub(other, labels);
        const normal = inputGradient(g, logits, cotangent, x, model);
        const length = g.reduceL1(normal, [1, 2, 3], true);
        const gap = column(g.reduceSum(g.mul(logits, cotangent), [1]));
        const hit = g.sub(1, column(isPredicted(g, logits, labels)));
        const isOver = g.greater(g.max(done, hit), 0.5);
        const step = stepToPlane(g, norm, { from: x, normal, gap, bounds });
        const size = sizeIn(g, norm, step);
        const isShorter = g.and(
          g.and(g.less(size, shortest), g.greater(size, 0)),
          g.and(isFiniteSum(g, length), isFiniteSum(g, g.abs(gap))),
        );
        const chosen = g.where(isShorter, step, way);
        const ends = g.greater(isLast, 0.5);
        const sum = g.add(r, chosen);
        const goes = g.and(ends, g.not(isOver));
        return {
          state: {
            x: g.where(goes, g.clip(g.add(clean, g.mul(sum, factor)), ...bounds), x),
            r: g.where(goes, sum, r),
            way: g.where(ends, g.scalar(0), chosen),
            shortest: g.where(ends, g.scalar(Infinity), g.where(isShorter, size, shortest)),
            done: g.max(done, hit),
          },
          trace: {
            found: g.reshape(hit, [batch]),
            length: g.reshape(g.where(g.greater(done, 0.5), g.scalar(-1), length), [batch]),
          },
        };
      },
  };
}
