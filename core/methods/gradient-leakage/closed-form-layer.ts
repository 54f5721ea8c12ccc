import { readChain, type Chain } from '../../leakage/analytic-chain.ts';
import type { LinearGradient } from '../../leakage/analytic.ts';
import type { SharedGradients } from '../../leakage/victim-gradient.ts';
import type { Victim } from '../../leakage/victim.ts';

/** How far outside the box a recovered value may lie. */
export const candidateTolerance = 1e-2;

export const chainOf = ({ graph, inputName, logitsName, shape }: Victim): Chain =>
  readChain(graph, inputName, logitsName, shape);

/** Whether the images enter a linear layer with bias, whose gradient gives them back. */
export const isLinearFirst = ({ layers: [first] }: Chain): boolean =>
  first !== undefined && first.inShape[1] === 1 && first.inShape[2] === 1 && first.bias !== undefined;

/** The linear layer's gradient as rows of features, whichever way it is stored. */
export function layerGradient({ layers }: Chain, { tensors }: SharedGradients): LinearGradient {
  const [layer] = layers;
  const weight = tensors[layer?.weight ?? '']?.data ?? new Float32Array(0);
  const bias = tensors[layer?.bias ?? '']?.data ?? new Float32Array(0);
  if (!layer?.isTransposed) return { weight, bias };
  const [rows, features] = [layer.outShape[0], layer.inShape[0]];
  return {
    weight: Float32Array.from(weight, (_, at) => weight[(at % features) * rows + Math.floor(at / features)] ?? 0),
    bias,
  };
}

/** Pixels of what the first layer saw. */
export function toPixels({ scale, shift }: Chain, input: ArrayLike<number>): Float32Array<ArrayBuffer> {
  const plane = input.length / scale.length;
  return Float32Array.from(input, (value, i) => {
    const channel = Math.floor(i / plane);
    return (value - (shift[channel] ?? 0)) / (scale[channel] ?? 1);
  });
}

/** The pixel box as the first layer sees it. */
export function boxOf({ scale, shift }: Chain): readonly [number, number] {
  const ends = scale.flatMap((factor, c) => [shift[c] ?? 0, factor + (shift[c] ?? 0)]);
  return [Math.min(...ends), Math.max(...ends)];
}
