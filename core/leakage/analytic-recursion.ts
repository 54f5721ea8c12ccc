import { WorkbenchError } from '../base/errors.ts';
import { sizeOf } from '../base/tensor.ts';
import { softmaxRows } from '../metrics/probabilities.ts';
import type { Chain, ChainLayer } from './analytic-chain.ts';
import { solveLayer } from './analytic-solve.ts';
import type { Gradients } from './defence.ts';

/** Each costs 12 bytes. */
const mostProducts = 2e7;

/** Numbers of the network, by initialiser name. */
export type Weights = Readonly<Record<string, Float32Array>>;

export interface RecursiveRecovery {
  /** The image [C, H, W] in the units of the network's input. */
  readonly image: Float64Array<ArrayBuffer>;
  /** From the last layer to the first: relative error that the equations of the layer leave. */
  readonly residuals: readonly number[];
  readonly notes: readonly string[];
}

/**
 * A4: one image, layer by layer from the logits down (Zhu and Blaschko 2021, "R-GAP"). The input of each layer solves
 * W x = z − b, with z from the layer above through the inverse activation, together with ∂W = ∂z ∗ x; padded zeros are no
 * unknowns. Activations must be invertible; pooling ends it. @throws MODEL_UNSUITABLE when the network is no such chain
 */
export function recoverRecursively(chain: Chain, weights: Weights, gradients: Gradients): RecursiveRecovery {
  const head = chain.layers.at(-1);
  if (chain.stopped !== undefined || !head || chain.layers.slice(0, -1).some(({ activation }) => !activation)) {
    throw new WorkbenchError(
      'MODEL_UNSUITABLE',
      `Recursive recovery needs a chain of layers with invertible activations; ${chain.stopped ?? 'a layer has no activation'}`,
      {
        hint: 'It works on convolutions and linear layers with leaky ReLU, sigmoid, tanh or softplus, without pooling.',
      },
    );
  }
  const products = chain.layers.map(({ inShape, outShape, kernel }) => sizeOf(outShape) * inShape[0] * sizeOf(kernel));
  const most = Math.max(...products);
  if (most > mostProducts) {
    throw new WorkbenchError(
      'MODEL_UNSUITABLE',
      `Recursive recovery: a layer makes ${most} products, expected at most ${mostProducts}`,
      { hint: 'It is meant for small networks. Switch closed forms off.' },
    );
  }
  const notes: string[] = [];
  let { input, cotangent } = headInput(head, weights, gradients, notes);
  const residuals: number[] = [];
  for (const layer of chain.layers.slice(0, -1).toReversed()) {
    const equations = sizeOf(layer.outShape) + sizeOf([layer.outShape[0], layer.inShape[0], ...layer.kernel]);
    if (equations < sizeOf(layer.inShape)) {
      notes.push(`Layer ${layer.weight} has ${equations} equations for ${sizeOf(layer.inShape)} unknowns.`);
    }
    const { z, dz } = throughActivation(layer, input, cotangent);
    const bias = layer.bias === undefined ? undefined : weights[layer.bias];
    if (bias) {
      const plane = layer.outShape[1] * layer.outShape[2];
      for (let i = 0; i < z.length; i++) z[i]! -= bias[Math.floor(i / plane)]!;
    }
    const solved = solveLayer(
      layer,
      oriented(layer, weights[layer.weight]),
      oriented(layer, gradients[layer.weight]?.data),
      z,
      dz,
    );
    residuals.push(solved.residual);
    ({ input, cotangent } = solved);
  }
  const plane = input.length / chain.scale.length;
  const image = input.map((value, i) => {
    const channel = Math.floor(i / plane);
    return (value - chain.shift[channel]!) / chain.scale[channel]!;
  });
  return { image, residuals, notes };
}

interface Below {
  /** What enters the layer. */
  input: Float64Array<ArrayBuffer>;
  /** ∂L/∂input. */
  cotangent: Float64Array<ArrayBuffer>;
}

/** ∂W = k aᵀ and k = softmax(W a + b) − 1[y]: with a bias ∂b is k; else the scale of k is searched for. */
function headInput(layer: ChainLayer, weights: Weights, gradients: Gradients, notes: string[]): Below {
  const size = sizeOf(layer.inShape);
  const classes = layer.outShape[0];
  const weight = oriented(layer, weights[layer.weight]);
  const gradient = oriented(layer, gradients[layer.weight]?.data);
  const biasGradient = layer.bias === undefined ? undefined : gradients[layer.bias]?.data;
  const [direction, errors] = rankOne(gradient, classes, size);
  let scale = 1;
  if (biasGradient) {
    // k = s·errors in the sense of least squares.
    scale = dot(biasGradient, errors) / dot(errors, errors);
  } else {
    const found = searchScale(weight, direction, errors);
    scale = found.scale;
    if (found.residual > 1e-3) notes.push(`The logits fit their gradient only to ${found.residual.toExponential(1)}.`);
  }
  const input = direction.map((value) => value / scale);
  const cotangent = new Float64Array(size);
  for (let i = 0; i < classes; i++)
    for (let f = 0; f < size; f++) cotangent[f]! += scale * errors[i]! * weight[i * size + f]!;
  return { input, cotangent };
}

/** Unit vector v [F] and u [K] with ∂W = u vᵀ, by a few power iterations from the longest row. */
function rankOne(
  gradient: ArrayLike<number>,
  rows: number,
  size: number,
): [Float64Array<ArrayBuffer>, Float64Array<ArrayBuffer>] {
  const row = (i: number): Float64Array => Float64Array.from({ length: size }, (_, f) => gradient[i * size + f]!);
  const lengths = Array.from({ length: rows }, (_, i) => dot(row(i), row(i)));
  let v = Float64Array.from(row(lengths.indexOf(Math.max(...lengths))));
  let u = new Float64Array(rows);
  for (let pass = 0; pass < 4; pass++) {
    const length = Math.sqrt(dot(v, v)) || 1;
    v = v.map((value) => value / length);
    u = Float64Array.from({ length: rows }, (_, i) => dot(row(i), v));
    if (pass === 3) break;
    const next = new Float64Array(size);
    for (let i = 0; i < rows; i++) for (let f = 0; f < size; f++) next[f]! += u[i]! * gradient[i * size + f]!;
    v = next;
  }
  return [v, u];
}

/**
 * s with softmax(W v / s) − 1[y] = s u. The label y is the entry of u whose sign no other has, so s u_y < 0, and
 * |s u_y| ≤ 1: a grid over that range, then golden sections about its best point.
 */
function searchScale(
  weight: ArrayLike<number>,
  direction: Float64Array,
  errors: Float64Array,
): { scale: number; residual: number } {
  const largest = errors.reduce((best, value, i) => (Math.abs(value) > Math.abs(errors[best]!) ? i : best), 0);
  const sign = -Math.sign(errors[largest]!) || 1;
  const raw = Float64Array.from(errors, (_, i) => {
    let sum = 0;
    for (let f = 0; f < direction.length; f++) sum += weight[i * direction.length + f]! * direction[f]!;
    return sum;
  });
  const residual = (logSize: number): number => {
    const scale = sign * Math.exp(logSize);
    const p = softmaxRows(
      raw.map((value) => value / scale),
      raw.length,
    );
    return p.reduce((sum, value, i) => sum + (value - (i === largest ? 1 : 0) - scale * errors[i]!) ** 2, 0);
  };
  const top = -Math.log(Math.abs(errors[largest]!));
  const points = 4000;
  const at = (i: number): number => top - (20 * i) / points;
  let best = 0;
  for (let i = 1; i <= points; i++) if (residual(at(i)) < residual(at(best))) best = i;
  let [low, high] = [at(best + 1), at(Math.max(0, best - 1))];
  const golden = (Math.sqrt(5) - 1) / 2;
  for (let pass = 0; pass < 80; pass++) {
    const [a, b] = [high - golden * (high - low), low + golden * (high - low)];
    if (residual(a) < residual(b)) high = b;
    else low = a;
  }
  const found = (low + high) / 2;
  return { scale: sign * Math.exp(found), residual: Math.sqrt(residual(found)) };
}

/** x = σ(z) known: z, and ∂z = σ′(z) ∂x. */
function throughActivation(
  layer: ChainLayer,
  x: Float64Array,
  cotangent: Float64Array,
): { z: Float64Array<ArrayBuffer>; dz: Float64Array<ArrayBuffer> } {
  const { op, slope } = layer.activation ?? { op: 'LeakyRelu', slope: 1 };
  const z = new Float64Array(x.length);
  const dz = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const [value, derivative] = inverse[op](x[i]!, slope);
    z[i] = value;
    dz[i] = derivative * cotangent[i]!;
  }
  return { z, dz };
}

/** Float32 cannot tell an activation nearer to its bound. */
const edge = 1e-7;
const inside = (x: number, low: number, high: number): number => Math.min(high - edge, Math.max(low + edge, x));

const inverse = {
  LeakyRelu: (x: number, slope: number) => (x >= 0 ? [x, 1] : [x / slope, slope]),
  Sigmoid: (x: number) => {
    const p = inside(x, 0, 1);
    return [Math.log(p / (1 - p)), p * (1 - p)];
  },
  Tanh: (x: number) => {
    const t = inside(x, -1, 1);
    return [Math.atanh(t), 1 - t * t];
  },
  Softplus: (x: number) => {
    const y = Math.max(edge, x);
    return [Math.log(Math.expm1(y)), -Math.expm1(-y)];
  },
} as const satisfies Record<string, (x: number, slope: number) => readonly [number, number] | number[]>;

/** A layer's weights as [O, I, …] whichever way they are stored. */
function oriented({ isTransposed, inShape, outShape, weight }: ChainLayer, values?: ArrayLike<number>): Float64Array {
  if (!values)
    throw new WorkbenchError('SHAPE_MISMATCH', `Recursive recovery: expected numbers for "${weight}", got none`);
  if (!isTransposed) return Float64Array.from(values);
  const [rows, columns] = [outShape[0], inShape[0]];
  return Float64Array.from(values, (_, at) => values[(at % columns) * rows + Math.floor(at / columns)]!);
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
