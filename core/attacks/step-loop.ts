import { invariant } from '../base/errors.ts';
import { fillNormal, stream } from '../base/rng.ts';
import { float32, sizeOf } from '../base/tensor.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';
import type { LoopTypes } from '../runtime/loop.ts';
import { affineView, isFiniteSum, lossGradient, type AttackedModel, type Look } from './look.ts';
import { isPredicted, type Objective } from './objectives.ts';
import type { LoopDefinition } from './victim.ts';

/** How a fixed-step attack moves; equal rules share one compiled Loop. */
export interface StepRule {
  readonly norm: 'linf' | 'l2';
  readonly isTargeted: boolean;
  /** μ of m ← μ m + g / ‖g‖₁ (Dong et al. 2018, equation 6); undefined: the gradient itself. */
  readonly decay?: number;
  /** Gradient at x + stepSize·μ·m (Lin et al. 2020, equation 8). */
  readonly looksAhead?: boolean;
  /** Gradient averaged over x / 2^i, i below this (Lin et al. 2020, equation 10). */
  readonly scales?: number;
  /** Width of the Gaussian that the gradient is convolved with (Dong et al. 2019, equation 7). */
  readonly kernelSize?: number;
  /** The model sees an affine view of x at each step (Xie et al. 2019). */
  readonly hasViews?: boolean;
  /** Freezes an image at its first success. */
  readonly stops: boolean;
  /** Fingerprints of the images, to see when they come again. */
  readonly hasPrints?: boolean;
}

export const ruleKey = (rule: StepRule): string => `steps ${JSON.stringify(rule)}`;

/**
 * One step of x ← P(x + stepSize · direction) as a Loop body. State `delta` [B, C, H, W] (and `momentum`), `done` [B, 1, 1, 1];
 * shared `clean`, `low` and `high` (of delta, linf only), `goal` [B, K] one-hot label or target, scalars `stepSize` and
 * `epsilon`. Traces by step: `hit` [B] 1 where the image before the step is what the attacker wants, `length` [B] ‖g‖₁,
 * `print` [B, 2].
 */
export function stepLoop(rule: StepRule, model: AttackedModel, bounds: readonly [number, number]): LoopDefinition {
  const { shape, classes } = model;
  return {
    types(batch): LoopTypes {
      const images = { dtype: 'float32', shape: [batch, ...shape] } as const;
      const scalar = { dtype: 'float32', shape: [] } as const;
      return {
        state: {
          delta: images,
          done: { dtype: 'float32', shape: [batch, 1, 1, 1] },
          ...(rule.decay === undefined ? {} : { momentum: images }),
        },
        steps: rule.hasViews ? { theta: { dtype: 'float32', shape: [batch, 2, 3] } } : {},
        shared: {
          clean: images,
          goal: { dtype: 'float32', shape: [batch, classes] },
          stepSize: scalar,
          epsilon: scalar,
          ...(rule.norm === 'linf' ? { low: images, high: images } : {}),
        },
      };
    },
    body:
      (look) =>
      (g, { state, steps, shared }) => {
        const [delta, done] = [present(state['delta']), present(state['done'])];
        const [clean, goal, stepSize] = [
          present(shared['clean']),
          present(shared['goal']),
          present(shared['stepSize']),
        ];
        const batch = clean.shape[0] ?? 1;
        const x = g.add(clean, delta);
        const momentum = state['momentum'];
        const decay = rule.decay ?? 0;
        const seen = rule.looksAhead && momentum ? g.add(x, g.mul(momentum, g.mul(stepSize, decay))) : x;
        const { gradient, logits } = gradientAt(g, look, model, rule, seen, goal, steps['theta']);
        const smooth = rule.kernelSize ? blur(g, gradient, rule.kernelSize) : gradient;
        const length = g.reduceL1(smooth, [1, 2, 3], true);
        const isNumber = isFiniteSum(g, length);
        const next = momentum && g.add(g.mul(momentum, decay), g.div(smooth, g.max(length, 1e-12)));
        const moved = moveTo(g, rule, { x, delta, direction: next ?? smooth, stepSize, clean, shared, bounds });
        const hit = isPredicted(g, logits, goal);
        const wanted = g.reshape(rule.isTargeted ? hit : g.sub(1, hit), [batch, 1, 1, 1]);
        const nextDone = rule.stops ? g.max(done, wanted) : done;
        // A gradient that is not finite moves nothing, like a gradient of zero.
        const moves = g.and(g.less(nextDone, 0.5), isNumber);
        const prints = rule.hasPrints ? { print: fingerprint(g, delta) } : {};
        return {
          state: {
            delta: g.where(moves, moved, delta),
            done: nextDone,
            ...(next && momentum ? { momentum: g.where(isNumber, next, momentum) } : {}),
          },
          trace: { hit: g.reshape(wanted, [batch]), length: g.reshape(length, [batch]), ...prints },
        };
      },
  };
}

const present = (value: Value | undefined): Value => {
  invariant(value, 'the loop has the value that its types name');
  return value;
};

function gradientAt(
  g: GraphBuilder,
  look: Look,
  model: AttackedModel,
  rule: StepRule,
  x: Value,
  goal: Value,
  theta: Value | undefined,
): { gradient: Value; logits: Value } {
  const objective: Objective = rule.isTargeted ? 'cross-entropy-targeted' : 'cross-entropy';
  const goals = { labels: goal, targets: goal };
  const scales = rule.scales ?? 1;
  const parts = Array.from({ length: scales }, (_, scale) => {
    const input = g.mul(x, 1 / 2 ** scale);
    const seen = theta ? affineView(g, input, theta) : input;
    return lossGradient(g, look, model, objective, { seen, images: x, goals });
  });
  const total = g.sumOf(parts.map(({ gradient }) => gradient));
  return { gradient: g.mul(total, 1 / scales), logits: present(parts[0]?.logits) };
}

/** A Gaussian of standard deviation 3 at ±(size − 1)/2 = ±3σ, on each channel by itself. */
function blur(g: GraphBuilder, gradient: Value, size: number): Value {
  const half = (size - 1) / 2;
  const line = Array.from({ length: size }, (_, i) => Math.exp(-0.5 * ((3 * (i - half)) / Math.max(half, 1)) ** 2));
  const sum = line.reduce((a, b) => a + b, 0);
  const channels = gradient.shape[1] ?? 1;
  const kernel = line.flatMap((a) => line.map((b) => (a * b) / (sum * sum)));
  const weight = g.floats([channels, 1, size, size], Array.from({ length: channels }, () => kernel).flat());
  return g.conv(gradient, weight, undefined, { pads: [half, half, half, half], group: channels });
}

interface Move {
  readonly x: Value;
  readonly delta: Value;
  readonly direction: Value;
  readonly stepSize: Value;
  readonly clean: Value;
  readonly shared: Readonly<Record<string, Value>>;
  readonly bounds: readonly [number, number];
}

function moveTo(
  g: GraphBuilder,
  { norm }: StepRule,
  { delta, direction, stepSize, clean, shared, bounds: [low, high] }: Move,
): Value {
  if (norm === 'linf') {
    const free = g.add(delta, g.mul(g.sign(direction), stepSize));
    // Ball and box are one interval for each pixel, rounded so that sums of steps are exact (see latticeOf).
    return g.max(g.min(free, present(shared['high'])), present(shared['low']));
  }
  const lengthOf = (v: Value): Value => g.sqrt(g.reduceSum(g.mul(v, v), [1, 2, 3], true));
  const free = g.add(delta, g.mul(g.div(direction, g.max(lengthOf(direction), 1e-12)), stepSize));
  const scale = g.min(g.div(present(shared['epsilon']), g.max(lengthOf(free), 1e-12)), 1);
  return g.sub(g.clip(g.add(clean, g.mul(free, scale)), low, high), clean);
}

/** Two random projections of each image [B, 2]: equal for equal images, and hardly ever for others. */
function fingerprint(g: GraphBuilder, delta: Value): Value {
  const [batch = 1, ...shape] = delta.shape;
  const size = sizeOf(shape);
  const weights = new Float32Array(size * 2);
  fillNormal(stream(0, 'fingerprint'), weights);
  return g.matmul(g.reshape(delta, [batch, size]), g.constant(float32([size, 2], weights)));
}
