import type { Graph, ValueInfo } from '../graph.ts';
import { intOf, intsOf } from '../normalise/lift.ts';
import type { InferInput } from '../infer.ts';
import { consumersOf, producersOf } from '../topology.ts';
import type { ImageInput } from './description.ts';
import { channelsOf, onlySize, squareOf } from './image-size.ts';

const shapeOf = (value: ValueInfo): string =>
  `${value.name} ${value.dtype} [${value.shape?.map((dim) => (dim === '' ? '?' : dim)).join(', ') ?? '?'}]`;

/** The end of a reason that a size would remove. */
export const askingSize = 'say which size is meant';

/** A sound half of the answer, or the reasons why there is none. */
export type Found<T> = { readonly value: T } | { readonly reasons: readonly string[]; readonly hint?: string };

/** Whether the file wants channels last: it turns the image first, or only the last size can be channels. */
function isChannelsLast(graph: Graph, input: ValueInfo): boolean {
  const consumers = consumersOf(graph).get(input.name) ?? [];
  const turned =
    consumers.length > 0 &&
    consumers.every((node) => node.op === 'Transpose' && intsOf(node, 'perm')?.join() === '0,3,1,2');
  const [, first, , last] = input.shape ?? [];
  const isColour = (dim: unknown): boolean => dim === 1 || dim === 3;
  return turned || (isColour(last) && !isColour(first));
}

/** Rows of pixels [N, C·H·W], as scikit-learn has them; taken for a square image. */
function rowsInput(graph: Graph): { readonly input: ValueInfo; readonly image: ImageInput } | undefined {
  const [input, ...others] = graph.inputs;
  const [batch, count, ...rest] = input?.shape ?? [];
  if (input?.dtype !== 'float32' || others.length > 0 || rest.length > 0 || typeof count !== 'number') return undefined;
  const size = squareOf(count);
  if (size === undefined) return undefined;
  const fixedBatch = typeof batch === 'number' ? batch : undefined;
  return { input, image: { name: input.name, layout: 'rows', ...size, fixedBatch } };
}

/**
 * The one 4-D float input, with fixed channels, height and width; or rows of pixels of a square image. Sizes that the
 * file leaves open are found where only one usual size fits: `works` tries one.
 */
export function findImageInput(
  graph: Graph,
  works: (shape: readonly number[]) => boolean,
): Found<{ readonly input: ValueInfo; readonly image: ImageInput }> {
  const candidates = graph.inputs.filter(({ dtype, shape }) => dtype === 'float32' && shape?.length === 4);
  const [input] = candidates;
  if (input?.shape === undefined) {
    const rows = rowsInput(graph);
    if (rows !== undefined) return { value: rows };
    const found = graph.inputs.map(shapeOf).join('; ') || 'no inputs';
    return { reasons: [`expected an image input, float32 of 4 dimensions, got ${found}`] };
  }
  const others = graph.inputs.filter((other) => other !== input);
  const reasons =
    others.length === 0
      ? []
      : [`expected one input, got ${graph.inputs.length}: ${graph.inputs.map(shapeOf).join('; ')}`];
  const layout = isChannelsLast(graph, input) ? 'nhwc' : 'nchw';
  const [batch, a, b, c] = input.shape;
  const [anyChannels, anyHeight, anyWidth] = layout === 'nhwc' ? [c, a, b] : [a, b, c];
  const channels = typeof anyChannels === 'number' ? anyChannels : channelsOf(graph, input.name);
  const side =
    typeof channels === 'number' && typeof anyHeight !== 'number' && typeof anyWidth !== 'number'
      ? onlySize((size) => works(layout === 'nhwc' ? [size, size, channels] : [channels, size, size]))
      : undefined;
  const [height, width] = [side ?? anyHeight, side ?? anyWidth];
  if (typeof channels !== 'number' || typeof height !== 'number' || typeof width !== 'number') {
    const wanted = 'expected fixed channels, height and width, or a network that takes one usual size only';
    return { reasons: [...reasons, `${wanted}, got ${shapeOf(input)}; ${askingSize}`] };
  }
  if (reasons.length > 0) return { reasons };
  const fixedBatch = typeof batch === 'number' ? batch : undefined;
  return { value: { input, image: { name: input.name, layout, channels, height, width, fixedBatch } } };
}

export interface LogitsValue {
  readonly name: string;
  readonly classCount: number;
  readonly softmaxRemoved: boolean;
}

/** [N, K], or [N, K, 1, …], of two classes and more. */
function classesOf(type: InferInput | undefined, batch: number): number | undefined {
  if (type?.dtype !== 'float32') return undefined;
  const [N, K = 0, ...rest] = type.shape;
  return N === batch && K >= 2 && rest.every((dim) => dim === 1) ? K : undefined;
}

const reshaping = new Set(['Identity', 'Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'Cast']);

/** The value that goes into a softmax over the classes at the end, where there is one. */
function beforeSoftmax(
  graph: Graph,
  output: string,
  types: ReadonlyMap<string, InferInput>,
  batch: number,
): string | undefined {
  const producers = producersOf(graph);
  let node = producers.get(output);
  while (node !== undefined && reshaping.has(node.op)) node = producers.get(node.inputs[0] ?? '');
  if (node === undefined || (node.op !== 'Softmax' && node.op !== 'LogSoftmax')) return undefined;
  const [name = ''] = node.inputs;
  const shape = types.get(name)?.shape ?? [];
  const axis = intOf(node, 'axis', -1);
  const isOverClasses = (axis < 0 ? axis + shape.length : axis) === 1;
  return isOverClasses && classesOf(types.get(name), batch) !== undefined ? name : undefined;
}

/** One number for each image: what networks for two classes that end with a sigmoid answer. */
const isScoreOf = (type: InferInput | undefined, batch: number): boolean =>
  type?.dtype === 'float32' && (type.shape.join() === `${batch},1` || type.shape.join() === `${batch}`);

const oneScoreHint =
  'One score for each image is the answer of a network for two classes. Export it with a score for each class: the logit s ' +
  'before the sigmoid as torch.cat([-s / 2, s / 2], dim=1), which gives the same probabilities.';

/** The logits: an output [N, K], the one named so when there are several, before a softmax at its end. */
export function findLogits(graph: Graph, types: ReadonlyMap<string, InferInput>, batch: number): Found<LogitsValue> {
  const fitting = graph.outputs.filter(({ name }) => classesOf(types.get(name), batch) !== undefined);
  const output = fitting.find(({ name }) => /logit/i.test(name)) ?? fitting[0];
  if (output === undefined) {
    const found = graph.outputs.map(({ name }) => {
      const type = types.get(name);
      return `${name} ${type?.dtype ?? '?'} [${type?.shape.join(', ') ?? '?'}]`;
    });
    const isOneScore = graph.outputs.some(({ name }) => isScoreOf(types.get(name), batch));
    return {
      ...(isOneScore ? { hint: oneScoreHint } : {}),
      reasons: [`expected logits, a float32 output of shape [N, classes], got ${found.join('; ')} for ${batch} images`],
    };
  }
  const before = beforeSoftmax(graph, output.name, types, batch);
  const name = before ?? output.name;
  return { value: { name, classCount: classesOf(types.get(name), batch) ?? 0, softmaxRemoved: before !== undefined } };
}
