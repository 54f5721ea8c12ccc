import { WorkbenchError } from '../base/errors.ts';
import type { Graph } from '../onnx/graph.ts';
import type { LabelPriors } from './labels-priors.ts';
import type { LabelEvidence } from './labels.ts';
import type { LocalTraining, SharedGradients } from './victim-gradient.ts';
import type { Victim } from './victim.ts';

export interface EvidenceOptions {
  readonly batchSize: number;
  readonly priors?: LabelPriors | undefined;
  /** What the client did before it shared an update. */
  readonly local?: LocalTraining | undefined;
}

/**
 * What the rules of label recovery see of a shared gradient: the last linear layer, rows by class. An update of local steps
 * is divided by −learningRate · steps, which gives the mean gradient over them. @throws MODEL_UNSUITABLE without such a layer
 */
export function labelEvidence(victim: Victim, shared: SharedGradients, options: EvidenceOptions): LabelEvidence {
  const { head, classes, parameters, graph } = victim;
  if (!head) {
    throw new WorkbenchError(
      'MODEL_UNSUITABLE',
      `${victim.title} does not end in a linear layer, whose gradient tells labels`,
      {
        hint: 'Give the labels, or let the attack guess them with the images (joint).',
      },
    );
  }
  const { batchSize, priors, local } = options;
  const factor = shared.kind === 'update' && local ? -1 / (local.learningRate * local.steps) : 1;
  const byClass = (values: ArrayLike<number>): Float64Array<ArrayBuffer> =>
    Float64Array.from(values, (_, at) => {
      const [row, column] = [Math.floor(at / head.featureCount), at % head.featureCount];
      return Number(values[head.isTransposed ? column * classes + row : at]);
    });
  const gradient = (name: string): ArrayLike<number> => shared.tensors[name]?.data ?? [];
  const own = (name: string): ArrayLike<number> =>
    Float64Array.from(parameters.find((each) => each.name === name)?.initial.data ?? [], Number);
  return {
    weightGradient: byClass(gradient(head.weight)).map((value) => factor * value),
    biasGradient:
      head.bias === undefined ? undefined : Float64Array.from(gradient(head.bias), (value) => factor * value),
    classes,
    batchSize,
    weight: byClass(own(head.weight)),
    bias: head.bias === undefined ? undefined : own(head.bias),
    hasNonNegativeFeatures: isNonNegative(graph, head.features) ? true : undefined,
    ...(priors ? { measured: priors.measured, meanProbabilities: priors.meanProbabilities } : {}),
  };
}

const nonNegative = new Set(['Relu', 'Sigmoid', 'HardSigmoid', 'Softplus', 'Softmax', 'Abs', 'Exp', 'Sqrt']);
/** Of inputs that are not negative these make outputs that are not. */
const keeping = new Set(
  'Flatten Reshape Identity Squeeze Unsqueeze Transpose Dropout Concat Add MaxPool AveragePool GlobalAveragePool GlobalMaxPool ReduceMean ReduceSum ReduceMax'.split(
    ' ',
  ),
);
const firstOnly = new Set(['Reshape', 'Squeeze', 'Unsqueeze', 'Dropout', 'ReduceMean', 'ReduceSum', 'ReduceMax']);

/** Whether the graph promises that a value is never negative. */
export function isNonNegative(graph: Graph, name: string): boolean {
  const node = graph.nodes.find(({ outputs }) => outputs.includes(name));
  if (!node || node.domain !== '') return false;
  if (nonNegative.has(node.op)) return true;
  if (!keeping.has(node.op)) return false;
  const inputs = firstOnly.has(node.op) ? node.inputs.slice(0, 1) : node.inputs;
  return inputs.every((input) => isNonNegative(graph, input));
}
