import type { Graph, OnnxModel, ValueInfo } from '../graph.ts';
import { intOf } from '../normalise/lift.ts';
import { consumersOf } from '../topology.ts';

export interface ImageSize {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Ops on the way from the image to the first layer that leave its axes alone. */
const passing = new Set(['Sub', 'Div', 'Mul', 'Add', 'Cast', 'Identity', 'Clip', 'Pad', 'BatchNormalization']);

/** The channels that the first convolution takes. */
export function channelsOf(graph: Graph, image: string): number | undefined {
  const consumers = consumersOf(graph);
  const waiting = [image];
  const seen = new Set(waiting);
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    for (const node of consumers.get(name) ?? []) {
      if (node.op === 'Conv' && node.inputs[0] === name) {
        const channels = graph.initializers.get(node.inputs[1] ?? '')?.dims[1];
        if (channels !== undefined) return channels * intOf(node, 'group', 1);
      }
      const [output = ''] = node.outputs;
      if (!passing.has(node.op) || seen.has(output)) continue;
      seen.add(output);
      waiting.push(output);
    }
  }
  return undefined;
}

/** Sizes that classifiers are made for. */
const usual = [224, 32, 28, 64, 96, 128, 160, 192, 240, 256, 288, 299, 320, 384, 448, 512];

/** The one usual size that the graph works with; undefined when there are several or none. */
export function onlySize(works: (size: number) => boolean): number | undefined {
  const found: number[] = [];
  for (const size of usual) {
    if (works(size)) found.push(size);
    if (found.length > 1) return undefined;
  }
  return found[0];
}

/** Rows of pixels as an image: a square of one channel, or of three. */
export function squareOf(count: number): ImageSize | undefined {
  for (const channels of [1, 3]) {
    const side = Math.sqrt(count / channels);
    if (Number.isInteger(side) && side > 1) return { channels, height: side, width: side };
  }
  return undefined;
}

/** The model with the sizes of its image input fixed, where the file leaves them open. */
export function withImageSize(model: OnnxModel, { channels, height, width }: ImageSize): OnnxModel {
  const inputs = model.graph.inputs.map((input): ValueInfo => {
    const [batch = '', first, second, third, ...more] = input.shape ?? [];
    if (input.dtype !== 'float32' || third === undefined || more.length > 0) return input;
    const isLast = third === channels && first !== channels;
    const sizes = isLast ? [height, width, channels] : [channels, height, width];
    const shape = [first, second, third].map((dim, i) => (typeof dim === 'number' ? dim : (sizes[i] ?? 0)));
    return { ...input, shape: [batch, ...shape] };
  });
  return { ...model, graph: { ...model.graph, inputs } };
}
