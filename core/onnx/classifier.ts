import { WorkbenchError } from '../base/errors.ts';
import { sizeOf } from '../base/tensor.ts';
import type { ClassifierDescription, ImageInput } from './classifier/description.ts';
import { askingSize, findImageInput, findLogits } from './classifier/ends.ts';
import { takeBranches } from './classifier/branches.ts';
import { freeBatch } from './classifier/free-batch.ts';
import { findBatchNorms, findParameters, usesBatchStatistics } from './classifier/parameters.ts';
import { findTemplates } from './classifier/templates.ts';
import { fixDimensions } from './dimensions.ts';
import type { Dim, Graph, GraphNode, OnnxModel, ValueInfo } from './graph.ts';
import { inferGraph } from './infer-graph.ts';
import { normalise } from './normalise.ts';
import { checkFinite, loadModel } from './read.ts';
import { pruneGraph } from './topology.ts';

/** A classifier file that can be worked with: in the house operator set, weights finite. */
export interface Classifier {
  readonly model: OnnxModel;
  readonly description: ClassifierDescription;
}

function unsuitable(reasons: readonly string[], hint?: string): never {
  throw new WorkbenchError('MODEL_UNSUITABLE', `Not an image classifier that can be used: ${reasons.join('; ')}`, {
    hint: reasons.some((reason) => reason.endsWith(askingSize))
      ? 'Say the sizes of its open dimensions (--dims, for a method --ROLE-dims), or export it with fixed ones.'
      : (hint ??
        'Give a model with one image input [N, C, H, W] of fixed size and class scores [N, classes] as output.'),
    details: { reasons },
  });
}

function fileShape({ layout, channels, height, width }: ImageInput, batch: number): readonly number[] {
  if (layout === 'rows') return [batch, channels * height * width];
  return layout === 'nhwc' ? [batch, height, width, channels] : [batch, channels, height, width];
}

/** Sizes at which a free batch is tried: no other dimension of the graph is likely to hide behind both. */
const trialBatch = 3;

interface Analysis {
  /** House operator set, batch freed where the file fixed it without need, pruned to the logits. */
  readonly graph: Graph;
  readonly description: ClassifierDescription;
}

function worksWith(graph: Graph, image: ImageInput, logits: string, batch: number): boolean {
  try {
    return inferGraph(graph, { [image.name]: fileShape(image, batch) }).get(logits)?.shape[0] === batch;
  } catch (error) {
    if (error instanceof WorkbenchError && error.code === 'SHAPE_MISMATCH') return false;
    throw error;
  }
}

/** Whether the graph can be typed with images of these sizes, without the batch. */
function fits(graph: Graph, sizes: readonly number[]): boolean {
  const image = graph.inputs.find(({ dtype, shape }) => dtype === 'float32' && shape?.length === 4);
  const [batch] = image?.shape ?? [];
  const shapes = { [image?.name ?? '']: [typeof batch === 'number' ? batch : trialBatch, ...sizes] };
  try {
    inferGraph(pruneGraph(takeBranches(graph, shapes)), shapes);
    return true;
  } catch (error) {
    if (error instanceof WorkbenchError && error.code === 'SHAPE_MISMATCH') return false;
    throw error;
  }
}

function analyse(model: OnnxModel): Analysis {
  const lifted = normalise(model).graph;
  // What is not a number for each image and class cannot be the logits, and may be made by operators of no concern here.
  const scores = lifted.outputs.filter(({ dtype }) => dtype === 'float32');
  const answering = pruneGraph(lifted, scores.length > 0 ? scores : lifted.outputs);
  const found = findImageInput(answering, (sizes) => fits(answering, sizes));
  if ('reasons' in found) {
    const isRankWrong = lifted.outputs.every(({ shape }) => shape !== undefined && shape.length < 2);
    return unsuitable([
      ...found.reasons,
      ...(isRankWrong ? ['expected logits, a float32 output of shape [N, classes]'] : []),
    ]);
  }
  const { image, input } = found.value;
  const batch = image.fixedBatch ?? trialBatch;
  const shapes = { [image.name]: fileShape(image, batch) };
  const straight = pruneGraph(takeBranches(answering, shapes));
  const types = inferGraph(straight, shapes);
  const logits = findLogits(straight, types, batch);
  if ('reasons' in logits) return unsuitable(logits.reasons, logits.hint);
  const { name, classCount, softmaxRemoved } = logits.value;
  const whole = pruneGraph(straight, [{ name, dtype: 'float32', shape: [input.shape?.[0] ?? '', classCount] }]);
  const graph = image.fixedBatch === undefined ? whole : freeBatch(whole, types, image.fixedBatch);
  const isFree = worksWith(graph, image, name, trialBatch) && worksWith(graph, image, name, trialBatch + 2);
  if (!isFree && image.fixedBatch === undefined) {
    return unsuitable([`expected the batch size to reach the logits, but ${name} does not follow it`]);
  }
  const parameters = findParameters(graph, image.name);
  return {
    graph,
    description: {
      input: { ...image, fixedBatch: isFree ? undefined : image.fixedBatch },
      logits: name,
      classCount,
      softmaxRemoved,
      templates: findTemplates(graph, name, classCount),
      parameters,
      parameterCount: parameters.reduce((sum, { dims }) => sum + sizeOf(dims), 0),
      batchNorms: findBatchNorms(graph),
      usesBatchStatistics: usesBatchStatistics(graph),
      dropoutCount: graph.nodes.filter(({ op }) => op === 'Dropout').length,
      opset: model.opset,
      producer: model.producer,
      metadata: model.metadata,
    },
  };
}

/**
 * What a model has to offer as an image classifier. Any operator set from 7 on. Throws MODEL_UNSUITABLE with all
 * reasons, OP_UNSUPPORTED with all operators that are not covered.
 */
export function describeClassifier(model: OnnxModel): ClassifierDescription {
  return analyse(model).description;
}

/**
 * The graph from images [N, C, H, W] to logits [N, classCount], in the house operator set, and nothing else of the
 * model. The batch is symbolic unless the file works with one size only; a channels-last file gets a Transpose in front.
 * Names of values and initialisers are the model's. Throws as describeClassifier.
 */
export function cutAtLogits(model: OnnxModel): Graph {
  const { graph, description } = analyse(model);
  const { input, logits, classCount } = description;
  const batch: Dim = input.fixedBatch ?? 'batch';
  const imageName = input.layout === 'nchw' ? input.name : `${input.name}/nchw`;
  const image: ValueInfo = {
    name: imageName,
    dtype: 'float32',
    shape: [batch, input.channels, input.height, input.width],
  };
  const { layout, name: fileName } = input;
  const turn: GraphNode[] =
    layout === 'nhwc' ? [transposeTo(imageName, fileName)] : layout === 'rows' ? [flatten(imageName, fileName)] : [];
  const types = inferGraph(graph, { [input.name]: fileShape(input, input.fixedBatch ?? 1) });
  const isFlat = types.get(logits)?.shape.length === 2;
  const flatName = `${logits}/flat`;
  const output: ValueInfo = { name: isFlat ? logits : flatName, dtype: 'float32', shape: [batch, classCount] };
  return {
    name: graph.name,
    inputs: [image],
    outputs: [output],
    initializers: graph.initializers,
    nodes: [...turn, ...graph.nodes, ...(isFlat ? [] : [flatten(logits, flatName)])],
    // Shapes written for another batch size would contradict this one.
    valueInfo: new Map(),
  };
}

const transposeTo = (from: string, to: string): GraphNode => ({
  name: from,
  domain: '',
  op: 'Transpose',
  inputs: [from],
  outputs: [to],
  attributes: { perm: { type: 'ints', value: [0, 2, 3, 1] } },
});

const flatten = (from: string, to: string): GraphNode => ({
  name: to,
  domain: '',
  op: 'Flatten',
  inputs: [from],
  outputs: [to],
  attributes: { axis: { type: 'int', value: 1 } },
});

/**
 * Opens a classifier file: reads it, checks that its weights are finite, lifts it and describes it. `dims` are sizes of
 * symbolic dimensions.
 */
export async function openClassifier(path: string, dims: Readonly<Record<string, number>> = {}): Promise<Classifier> {
  const model = fixDimensions(await loadModel(path), dims);
  checkFinite(model);
  return { model: normalise(model), description: describeClassifier(model) };
}
