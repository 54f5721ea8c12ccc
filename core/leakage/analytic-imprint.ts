import { stream } from '../base/rng.ts';
import { float32 } from '../base/tensor.ts';
import type { Graph, GraphNode } from '../onnx/graph.ts';

/** What an imprinted layer measures of an image: its mean, one cosine of it (mode 32), or a random direction. */
export const measurements = ['mean', 'cosine', 'random'] as const;
export type Measurement = (typeof measurements)[number];

export interface ImprintOptions {
  readonly measurement: Measurement;
  /** Units of the layer. */
  readonly bins: number;
  /** Of a random direction. */
  readonly seed: number;
}

export interface Imprint {
  /** h [F]; every row of the layer. */
  readonly direction: Float32Array<ArrayBuffer>;
  /** Rising thresholds c [bins]; the biases are −c. */
  readonly thresholds: Float32Array<ArrayBuffer>;
}

/**
 * The layer that a malicious server puts in front of a network (Fowl et al. 2022, "Robbing the Fed"): unit i is
 * ReLU(h·x − c_i), and c_i are quantiles of h·x over `publicImages` [N, F] in [0, 1], so that each bin between two
 * thresholds is equally likely to hold an image.
 */
export function designImprint(publicImages: Float32Array, size: number, options: ImprintOptions): Imprint {
  const direction = directionOf(options, size);
  const count = Math.floor(publicImages.length / size);
  const seen = Float64Array.from({ length: count }, (_, n) => {
    let sum = 0;
    for (let f = 0; f < size; f++) sum += direction[f]! * publicImages[n * size + f]!;
    return sum;
  }).sort();
  const spread = (seen.at(-1) ?? 1) - (seen[0] ?? 0) || 1;
  const thresholds = Float32Array.from({ length: options.bins }, (_, i) =>
    // The first bin is open below, so that no image falls out of it.
    i === 0 ? (seen[0] ?? 0) - 10 * spread : quantile(seen, i / options.bins),
  );
  return { direction, thresholds };
}

function directionOf({ measurement, seed }: ImprintOptions, size: number): Float32Array<ArrayBuffer> {
  const rng = stream(seed, 'imprint');
  return Float32Array.from({ length: size }, (_, f) => {
    if (measurement === 'mean') return 1 / size;
    if (measurement === 'random') return rng.normal() / Math.sqrt(size);
    return Math.cos(((f + 0.5) * 32 * Math.PI) / size) / Math.sqrt(size);
  });
}

function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const low = Math.floor(at);
  const [below, above] = [sorted[low]!, sorted[Math.min(low + 1, sorted.length - 1)]!];
  return below + (at - low) * (above - below);
}

export const imprintNames = { weight: 'imprint.weight', bias: 'imprint.bias' } as const;

/**
 * The graph with the layer in front: x + gain · Σ_i ReLU(h·x − c_i) goes on into the network. Outgoing weights are all
 * equal, so neighbouring rows of the layer's gradient differ by the images of one bin.
 */
export function withImprint(graph: Graph, inputName: string, imprint: Imprint, gain = 1e-3): Graph {
  const { direction, thresholds } = imprint;
  const name = (part: string): string => `imprint.${part}/${inputName}`;
  const bins = thresholds.length;
  const rows = new Float32Array(bins * direction.length);
  for (let i = 0; i < bins; i++) rows.set(direction, i * direction.length);
  const node = (op: string, inputs: string[], output: string, attributes: GraphNode['attributes'] = {}): GraphNode => ({
    name: name(output),
    domain: '',
    op,
    inputs,
    outputs: [output === 'out' ? inputName : name(output)],
    attributes,
  });
  return {
    ...graph,
    inputs: graph.inputs.map((input) => (input.name === inputName ? { ...input, name: name('pixels') } : input)),
    initializers: new Map([
      ...graph.initializers,
      [imprintNames.weight, float32([bins, direction.length], rows)],
      [
        imprintNames.bias,
        float32(
          [bins],
          thresholds.map((value) => -value),
        ),
      ],
      [name('outgoing'), float32([bins, 1], new Float32Array(bins).fill(gain))],
      [name('axes'), { dtype: 'int64', dims: [2], data: BigInt64Array.of(2n, 3n) }],
    ]),
    nodes: [
      node('Flatten', [name('pixels')], 'flat', { axis: { type: 'int', value: 1 } }),
      node('Gemm', [name('flat'), imprintNames.weight, imprintNames.bias], 'units', {
        transB: { type: 'int', value: 1 },
      }),
      node('Relu', [name('units')], 'active'),
      node('MatMul', [name('active'), name('outgoing')], 'sum'),
      node('Unsqueeze', [name('sum'), name('axes')], 'shift'),
      node('Add', [name('pixels'), name('shift')], 'out'),
      ...graph.nodes,
    ],
  };
}

/** Name of the imprinted graph's input. */
export const imprintedInput = (inputName: string): string => `imprint.pixels/${inputName}`;
