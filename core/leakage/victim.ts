import { WorkbenchError } from '../base/errors.ts';
import type { Graph } from '../onnx/graph.ts';
import type { OpenedModel } from '../train/models.ts';
import { runningStatistics, trainableParameters, type Parameter } from '../train/parameters.ts';
import { withActivation, type Activation } from './victim-activation.ts';
import { withWeights, type WeightRule } from './victim-weights.ts';

export interface VictimOptions {
  /** Default: as in the file, or as the architecture of the zoo was initialised. */
  readonly weights?: WeightRule;
  /** Default: as in the file. */
  readonly activation?: Activation;
  /** 'eval' normalises with the running statistics, 'train' with those of the batch, which stay as they are. */
  readonly batchNorm?: 'eval' | 'train';
}

/** A classifier whose gradients are shared. The loss is always the cross-entropy, mean over the batch. */
export interface Victim {
  readonly title: string;
  /** House operator set, images [N, C, H, W] → logits [N, classes]; without dropout. */
  readonly graph: Graph;
  readonly inputName: string;
  readonly logitsName: string;
  readonly shape: readonly [channels: number, height: number, width: number];
  readonly classes: number;
  /** What a shared gradient has an entry for, by name. */
  readonly parameters: readonly Parameter[];
  readonly batchNorm: 'eval' | 'train';
  readonly hasBatchNorm: boolean;
  readonly head: VictimHead | undefined;
}

/** The last linear layer: logits = features · weightᵀ + bias. */
export interface VictimHead {
  /** Initialiser [classes, featureCount], or [featureCount, classes] where `isTransposed`. */
  readonly weight: string;
  readonly isTransposed: boolean;
  /** Initialiser [classes]; undefined when the layer has none. */
  readonly bias: string | undefined;
  /** The value that enters the layer. */
  readonly features: string;
  readonly featureCount: number;
}

/** @throws MODEL_UNSUITABLE when there are no weights, or no activation to replace. */
export function openVictim(model: OpenedModel, options: VictimOptions = {}): Victim {
  const { weights = { kind: 'file' }, activation, batchNorm = 'eval' } = options;
  const swapped = activation === undefined ? model.graph : withActivation(model.graph, activation);
  const graph = withWeights(withoutDropout(swapped), weights);
  const parameters = trainableParameters(graph);
  if (parameters.length === 0) {
    throw new WorkbenchError('MODEL_UNSUITABLE', `${model.title} has no weights that a gradient could be taken by`, {
      hint: 'Weights must be float32 initialisers of the file.',
    });
  }
  return {
    title: model.title,
    graph,
    inputName: model.inputName,
    logitsName: model.logitsName,
    shape: model.shape,
    classes: model.classes,
    parameters,
    batchNorm,
    hasBatchNorm: runningStatistics(graph).length > 0,
    head: headOf(model, parameters),
  };
}

/** Dropout is off while gradients leak: the graph with each replaced by its input. */
function withoutDropout(graph: Graph): Graph {
  const nodes = graph.nodes.map((node) =>
    node.op === 'Dropout' && node.domain === ''
      ? { ...node, op: 'Identity', inputs: node.inputs.slice(0, 1), outputs: node.outputs.slice(0, 1), attributes: {} }
      : node,
  );
  return { ...graph, nodes };
}

function headOf(
  { description, classes, graph }: OpenedModel,
  parameters: readonly Parameter[],
): VictimHead | undefined {
  const { templates } = description;
  const weight = parameters.find(({ name }) => name === templates?.valueName);
  if (!templates || !weight) return undefined;
  const { featureName, featureCount } = templates;
  const layer = graph.nodes.find(({ op, inputs: [x] }) => op === templates.op && x === featureName);
  const added = graph.nodes.find(({ op, inputs }) => op === 'Add' && inputs.includes(layer?.outputs[0] ?? '\0'));
  const candidates = [layer?.inputs[2], ...(added?.inputs ?? [])];
  const bias = parameters.find(({ name, initial }) => candidates.includes(name) && initial.data.length === classes);
  const transB = layer?.attributes['transB'];
  const isTurned = layer?.inputs[1] !== weight.name;
  const readsTransposed =
    layer?.op === 'MatMul' || (layer?.op === 'Gemm' && !(transB?.type === 'int' && transB.value !== 0));
  return {
    weight: weight.name,
    isTransposed: readsTransposed !== isTurned,
    bias: bias?.name,
    features: featureName,
    featureCount,
  };
}
