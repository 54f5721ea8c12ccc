import { sizeOf } from '../base/tensor.ts';
import type { ChainLayer } from './analytic-chain.ts';

export interface SolvedLayer {
  /** x [I, H, W]. */
  readonly input: Float64Array<ArrayBuffer>;
  /** ∂L/∂x = Wᵀ ∂z. */
  readonly cotangent: Float64Array<ArrayBuffer>;
  /** ‖A x − b‖ / ‖b‖ over all equations. */
  readonly residual: number;
}

/**
 * The x that best satisfies W ∗ x = z and x ∗ ∂z = ∂W, each set of equations scaled to unit size, by conjugate gradients on
 * the normal equations (CGLS; Hestenes and Stiefel 1952). `weight`, `gradient` [O, I, kh, kw]; `z`, `dz` [O, H′, W′].
 */
export function solveLayer(
  layer: ChainLayer,
  weight: Float64Array,
  gradient: Float64Array,
  z: Float64Array,
  dz: Float64Array,
): SolvedLayer {
  const taps = tapsOf(layer);
  const unknowns = sizeOf(layer.inShape);
  const [forwardScale, gradientScale] = [1 / (norm(z) || 1), 1 / (norm(gradient) || 1)];
  const apply = (x: Float64Array, out: Float64Array): void => {
    out.fill(0);
    for (let t = 0; t < taps.length; t += 3) {
      const [w, from, to] = [taps[t]!, taps[t + 1]!, taps[t + 2]!];
      out[to]! += forwardScale * weight[w]! * x[from]!;
      out[z.length + w]! += gradientScale * dz[to]! * x[from]!;
    }
  };
  const transposed = (r: Float64Array, out: Float64Array): void => {
    out.fill(0);
    for (let t = 0; t < taps.length; t += 3) {
      const [w, from, to] = [taps[t]!, taps[t + 1]!, taps[t + 2]!];
      out[from]! += forwardScale * weight[w]! * r[to]! + gradientScale * dz[to]! * r[z.length + w]!;
    }
  };
  const wanted = new Float64Array(z.length + weight.length);
  wanted.set(z.map((value) => value * forwardScale));
  wanted.set(
    gradient.map((value) => value * gradientScale),
    z.length,
  );
  const { x, residual } = leastSquares(apply, transposed, wanted, unknowns);
  const cotangent = new Float64Array(unknowns);
  for (let t = 0; t < taps.length; t += 3) cotangent[taps[t + 1]!]! += weight[taps[t]!]! * dz[taps[t + 2]!]!;
  return { input: x, cotangent, residual };
}

/** Every product of the convolution: (weight, input, output) positions, three numbers each. */
function tapsOf({ kernel: [kh, kw], stride, pad, inShape, outShape }: ChainLayer): Int32Array {
  const [channels, height, width] = inShape;
  const [filters, outHeight, outWidth] = outShape;
  const taps = new Int32Array(3 * filters * outHeight * outWidth * channels * kh * kw);
  let filled = 0;
  for (let o = 0; o < filters; o++) {
    for (let i = 0; i < channels; i++) {
      for (let ky = 0; ky < kh; ky++) {
        for (let kx = 0; kx < kw; kx++) {
          const w = ((o * channels + i) * kh + ky) * kw + kx;
          for (let oy = 0; oy < outHeight; oy++) {
            const y = oy * stride + ky - pad;
            if (y < 0 || y >= height) continue;
            for (let ox = 0; ox < outWidth; ox++) {
              const x = ox * stride + kx - pad;
              if (x < 0 || x >= width) continue;
              taps[filled++] = w;
              taps[filled++] = (i * height + y) * width + x;
              taps[filled++] = (o * outHeight + oy) * outWidth + ox;
            }
          }
        }
      }
    }
  }
  return taps.subarray(0, filled);
}

type Operator = (from: Float64Array, to: Float64Array) => void;

function leastSquares(
  apply: Operator,
  transposed: Operator,
  wanted: Float64Array,
  unknowns: number,
): { x: Float64Array<ArrayBuffer>; residual: number } {
  const x = new Float64Array(unknowns);
  const r = wanted.slice();
  const s = new Float64Array(unknowns);
  transposed(r, s);
  const p = s.slice();
  const q = new Float64Array(wanted.length);
  let gamma = squared(s);
  const enough = 1e-26 * gamma;
  for (let pass = 0; pass < 2 * unknowns && gamma > enough; pass++) {
    apply(p, q);
    const alpha = gamma / squared(q);
    if (!Number.isFinite(alpha)) break;
    for (let i = 0; i < unknowns; i++) x[i]! += alpha * p[i]!;
    for (let i = 0; i < r.length; i++) r[i]! -= alpha * q[i]!;
    transposed(r, s);
    const next = squared(s);
    const beta = next / gamma;
    gamma = next;
    for (let i = 0; i < unknowns; i++) p[i] = s[i]! + beta * p[i]!;
  }
  return { x, residual: norm(r) / (norm(wanted) || 1) };
}

function squared(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! * values[i]!;
  return sum;
}

const norm = (values: Float64Array): number => Math.sqrt(squared(values));
