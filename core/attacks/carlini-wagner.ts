import { implement, type Implementation } from './attack.ts';
import { carliniWagner, elasticNet } from './catalogue-minimal.ts';
import { searchConstant, type Minimiser } from './constant-search.ts';
import { rowOf, type AttackTask } from './task.ts';

/** Keeps atanh finite at the edges of the box; in float32 the images come back to the bit. */
const inside = 0.999999;

/** Carlini & Wagner's L2 attack and its elastic-net relative, which share the search for the constant. */
export const constantAttacks: readonly Implementation[] = [
  implement(carliniWagner, (task, options) =>
    searchConstant(task, options, (samples) => tanhAdam(task, samples, options.learningRate)),
  ),
  implement(elasticNet, (task, options) =>
    searchConstant(task, options, (samples) =>
      shrinkage(task, samples, options.learningRate, options.sparsity, options.steps),
    ),
  ),
];

/** ‖x' − x‖² with x' = middle + half · tanh(w), by Adam on w (β 0.9, 0.999, ε 1e-8). */
function tanhAdam(task: AttackTask, samples: readonly number[], learningRate: number): Minimiser {
  const { size, bounds } = task.victim;
  const middle = (bounds[0] + bounds[1]) / 2;
  const half = (bounds[1] - bounds[0]) / 2;
  const length = samples.length * size;
  const clean = new Float32Array(length);
  samples.forEach((sample, i) => clean.set(rowOf(task.images, size, sample), i * size));
  const [w, m, v, t] = [0, 1, 2, 3].map(() => new Float32Array(length));
  if (!w || !m || !v || !t) throw new Error('four arrays');
  return {
    begin() {
      for (let i = 0; i < length; i++) w[i] = Math.atanh(inside * ((clean[i]! - middle) / half));
      m.fill(0);
      v.fill(0);
    },
    show(out) {
      for (let i = 0; i < length; i++) {
        t[i] = Math.tanh(w[i]!);
        out[i] = middle + half * t[i]!;
      }
    },
    distances(shown) {
      return squaredDistances(shown, clean, size);
    },
    step(push, gradient, index) {
      const [c1, c2] = [1 - 0.9 ** (index + 1), 1 - 0.999 ** (index + 1)];
      for (let row = 0; row < samples.length; row++) {
        const c = push[row]!;
        for (let i = row * size; i < (row + 1) * size; i++) {
          const byImage = 2 * (middle + half * t[i]! - clean[i]!) - c * gradient[i]!;
          const g = byImage * half * (1 - t[i]! * t[i]!);
          m[i] = 0.9 * m[i]! + 0.1 * g;
          v[i] = 0.999 * v[i]! + 0.001 * g * g;
          w[i]! -= (learningRate * (m[i]! / c1)) / (Math.sqrt(v[i]! / c2) + 1e-8);
        }
      }
    },
  };
}

function squaredDistances(shown: Float32Array, clean: Float32Array, size: number): Float64Array {
  return Float64Array.from({ length: clean.length / size }, (_, row) => {
    let sum = 0;
    for (let i = row * size; i < (row + 1) * size; i++) sum += (shown[i]! - clean[i]!) ** 2;
    return sum;
  });
}

/** ‖x' − x‖² + β ‖x' − x‖₁ by FISTA: a gradient step, then what is nearer to the clean pixel than β is put back (Chen et al. 2018). */
function shrinkage(
  task: AttackTask,
  samples: readonly number[],
  learningRate: number,
  beta: number,
  steps: number,
): Minimiser {
  const {
    size,
    bounds: [low, high],
  } = task.victim;
  const length = samples.length * size;
  const clean = new Float32Array(length);
  samples.forEach((sample, i) => clean.set(rowOf(task.images, size, sample), i * size));
  const x = new Float32Array(length);
  const y = new Float32Array(length);
  return {
    begin() {
      x.set(clean);
      y.set(clean);
    },
    // The images that count are the shrunken ones; the gradient is taken there instead of at the slack ones, which saves
    // a look at the model in each step.
    show: (out) => out.set(y),
    distances(shown) {
      const result = squaredDistances(shown, clean, size);
      return result.map((value, row) => {
        let sum = 0;
        for (let i = row * size; i < (row + 1) * size; i++) sum += Math.abs(shown[i]! - clean[i]!);
        return value + beta * sum;
      });
    },
    step(push, gradient, index) {
      const rate = learningRate * Math.sqrt(1 - index / steps);
      const inertia = index / (index + 3);
      for (let row = 0; row < samples.length; row++) {
        const c = push[row]!;
        for (let i = row * size; i < (row + 1) * size; i++) {
          const free = y[i]! - rate * (2 * (y[i]! - clean[i]!) - c * gradient[i]!);
          const d = free - clean[i]!;
          const next =
            Math.abs(d) <= beta ? clean[i]! : Math.min(Math.max(clean[i]! + d - Math.sign(d) * beta, low), high);
          y[i] = Math.min(Math.max(next + inertia * (next - x[i]!), low), high);
          x[i] = next;
        }
      }
    },
  };
}
