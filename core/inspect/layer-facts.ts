import type { ClassifierDescription } from '../onnx/classifier/description.ts';
import type { Graph } from '../onnx/graph.ts';
import { intOf } from '../onnx/normalise/lift.ts';
import { followers } from './reach.ts';
import type { ClassifierFacts } from './inspection.ts';

/** Names that exporters make up: onnx::Conv_193, val_12, view_3, /layer/Transpose_output_0. */
const madeUp = /^onnx::|_output_\d+$|^\d+$/;
/** What frameworks call their parameters. */
const given = /[.:/]|weight|bias|kernel|gamma|beta|embed|token|running|moving/i;

export const isNamedByFramework = (name: string): boolean => !madeUp.test(name) && given.test(name);

/**
 * How batch normalisation stands in a graph. torch.onnx calls the bias of a folded convolution `<weight>_bias`
 * (dynamo) or `onnx::Conv_N` (TorchScript); a bias that the network had is called as the framework does.
 */
export function batchNormFacts(
  graph: Graph,
  image: string,
  { batchNorms }: Pick<ClassifierDescription, 'batchNorms'>,
): ClassifierFacts['batchNorm'] {
  const dependent = followers(graph, [image]);
  const trained = graph.nodes.filter(
    (node) =>
      node.op === 'BatchNormalization' &&
      intOf(node, 'training_mode', 0) !== 0 &&
      node.inputs.slice(0, 1).some((name) => dependent.has(name)),
  );
  const folded = graph.nodes.filter(({ op, inputs: [, weight = '', bias = ''] }) => {
    const isFolded = bias === `${weight}_bias` || (/^onnx::Conv_\d+$/.test(bias) && /^onnx::Conv_\d+$/.test(weight));
    return op === 'Conv' && isFolded;
  });
  const isLikely = batchNorms.length + trained.length === 0 && folded.length > 0;
  return {
    present: batchNorms.length,
    trainingMode: trained.length,
    folded: isLikely ? 'likely' : 'unlikely',
  };
}
