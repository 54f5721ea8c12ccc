import { toWorkbenchError, type ErrorShape } from '../base/errors.ts';
import { cutAtLogits, describeClassifier } from '../onnx/classifier.ts';
import type { ClassifierDescription } from '../onnx/classifier/description.ts';
import type { Graph, OnnxModel, ValueInfo } from '../onnx/graph.ts';
import { inferGraph } from '../onnx/infer-graph.ts';
import { normalise } from '../onnx/normalise.ts';
import { checkFinite } from '../onnx/read.ts';
import { findClassNames } from './class-names.ts';
import { missingRules, tryDerivatives } from './derivatives.ts';
import { symbolicDimensions } from '../onnx/dimensions.ts';
import { findFeatureLayers } from './feature-layers.ts';
import type {
  ClassifierFacts,
  CostFacts,
  Differentiability,
  FileFacts,
  Inspection,
  TensorFacts,
} from './inspection.ts';
import { batchNormFacts, isNamedByFramework } from './layer-facts.ts';
import { outlineOf } from './outline.ts';
import type { NameFile } from './preprocessing-files.ts';
import { readPreprocessing, type PreprocessingSource } from './preprocessing.ts';
import { findWarnings, sharedParameters } from './warnings.ts';

/** How fast a device of this machine was measured to be. */
export interface MeasuredSpeed {
  readonly device: string;
  readonly threads: number;
  /** 1e9 operations a second. */
  readonly gflops: number;
}

export interface InspectOptions {
  readonly file: Pick<FileFacts, 'path' | 'sizeBytes' | 'sha256' | 'hasExternalData' | 'weights'>;
  readonly settings: readonly PreprocessingSource[];
  /** With the names of the classes, by what the files are called. */
  readonly nameFiles?: readonly NameFile[];
  readonly speed: MeasuredSpeed | undefined;
}

/**
 * Everything that can be found out about a model without running it. What keeps it from being used as a classifier is
 * reported in `problems`, not thrown.
 */
export function inspectModel(model: OnnxModel, { file, settings, nameFiles = [], speed }: InspectOptions): Inspection {
  const problems: ErrorShape[] = [];
  const attempt = <T>(make: () => T): T | undefined => {
    try {
      return make();
    } catch (thrown) {
      problems.push(toWorkbenchError(thrown).toShape());
      return undefined;
    }
  };
  attempt(() => checkFinite(model));
  const house = attempt(() => normalise(model));
  const described = house && attempt(() => describe(house));
  const { preprocessing, disagreements } = readPreprocessing(
    settings,
    model.metadata,
    described?.graph,
    takesBytes(model.graph, described?.facts.image.name),
  );
  const classCount = described?.facts.classCount;
  const { classNames, misfits } = findClassNames({ settings, files: nameFiles, metadata: model.metadata }, classCount);
  const derived = described && tryDerivatives(described.derivable);
  const parameters = described?.facts.parameters.names ?? [];
  return {
    schema: 'palimpsest.inspection/1',
    file: { ...file, ...formatFacts(model) },
    operators: operatorCounts(model.graph),
    inputs: model.graph.inputs.map(tensorFacts),
    outputs: model.graph.outputs.map(tensorFacts),
    classifier: described?.facts ?? null,
    classNames,
    preprocessing,
    cost: derived?.cost ? { ...derived.cost, estimate: estimateOf(derived.cost, speed) } : null,
    differentiability: derived?.differentiability ?? unknownDifferentiability(house?.graph ?? model.graph),
    warnings: [
      ...findWarnings(model.graph, described?.facts.image.name, described?.facts.logits.name),
      ...(described ? sharedParameters(described.graph, parameters) : []),
      ...disagreements.map(({ field, sources }) => ({
        code: 'conflicting-preprocessing' as const,
        message: `${sources.join(' and ')} say different things about ${field}; the first is shown.`,
        nodes: [],
      })),
      ...misfits.map(({ source, count }) => ({
        code: 'class-names' as const,
        message: `There are ${count} names of classes in ${source}, and ${classCount} classes: they are not used.`,
        nodes: [],
      })),
    ],
    problems,
    questions: questionsOf(model, described?.facts, preprocessing),
  };
}

const formatFacts = ({
  irVersion,
  opset,
  otherOpsets,
  producer,
  metadata,
}: OnnxModel): Omit<FileFacts, keyof InspectOptions['file']> => ({
  irVersion,
  opset,
  otherOpsets,
  producer,
  metadata,
});

const tensorFacts = ({ name, dtype, shape }: ValueInfo): TensorFacts => ({ name, dtype, shape: shape ?? null });

function operatorCounts({ nodes }: Graph): Record<string, number> {
  const counts = new Map<string, number>();
  for (const { domain, op } of nodes) {
    const name = domain === '' ? op : `${domain}.${op}`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}

interface Described {
  /** From images to logits. */
  readonly graph: Graph;
  readonly facts: ClassifierFacts;
  readonly derivable: Parameters<typeof tryDerivatives>[0];
}

function describe(house: OnnxModel): Described {
  const description = describeClassifier(house);
  const graph = cutAtLogits(house);
  const { channels, height, width, fixedBatch } = description.input;
  const batch = fixedBatch ?? 1;
  const imageShape = [batch, channels, height, width];
  const parameters = description.parameters.map(({ name }) => name);
  return {
    graph,
    facts: factsOf(description, graph, imageShape),
    derivable: { graph, imageShape, parameters },
  };
}

function factsOf(description: ClassifierDescription, graph: Graph, imageShape: readonly number[]): ClassifierFacts {
  const { input, templates } = description;
  const image = graph.inputs[0]?.name ?? '';
  // Three images: no other size is likely to be taken for the batch.
  const batch = input.fixedBatch ?? 3;
  const types = inferGraph(graph, { [image]: [batch, ...imageShape.slice(1)] });
  const names = description.parameters.map(({ name }) => name);
  return {
    image: { ...input, fixedBatch: input.fixedBatch ?? null },
    logits: { name: description.logits, softmaxRemoved: description.softmaxRemoved },
    classCount: description.classCount,
    lastLayer: templates
      ? {
          op: templates.op,
          weight: templates.valueName,
          features: templates.featureName,
          featureCount: templates.featureCount,
          hasBias: templates.bias !== undefined,
        }
      : null,
    featureLayers: findFeatureLayers(graph, image, types, batch),
    outline: outlineOf({ graph, image, types, batch, parameters: names }),
    batchNorm: batchNormFacts(graph, image, description),
    parameters: {
      count: description.parameterCount,
      tensors: names.length,
      named: names.filter(isNamedByFramework).length,
      names,
    },
    dropouts: description.dropoutCount,
  };
}

function estimateOf(
  { forwardFlops, inputGradientFlops }: Omit<CostFacts, 'estimate'>,
  speed: MeasuredSpeed | undefined,
): CostFacts['estimate'] {
  if (!speed) return null;
  const ms = (flops: number): number => flops / (speed.gflops * 1e6);
  return {
    ...speed,
    forwardMs: ms(forwardFlops),
    inputGradientMs: inputGradientFlops === null ? null : ms(forwardFlops + inputGradientFlops),
  };
}

const takesBytes = ({ inputs }: Graph, image: string | undefined): boolean =>
  inputs.some(({ name, dtype }) => name === image && dtype === 'uint8');

function unknownDifferentiability(graph: Graph): Differentiability {
  const names = [...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()];
  const reason = 'the model cannot be used as a classifier';
  const order = { isPossible: false, missing: missingRules(graph, names), reason };
  return { order1: order, order2: order };
}

function questionsOf(
  model: OnnxModel,
  classifier: ClassifierFacts | undefined,
  { mean, std, inGraph, searched }: Inspection['preprocessing'],
): readonly string[] {
  const questions: string[] = [];
  const open = symbolicDimensions(model.graph.inputs, 1);
  if (!classifier && open.length > 0) {
    questions.push(`Which sizes does the model take for ${open.join(', ')}? The file leaves them open.`);
  }
  if (!mean || !std) {
    const where = searched.length === 0 ? '' : ` Not found in ${searched.join(', ')}.`;
    const done = inGraph ? ' The graph scales its input itself, which may be all there is.' : '';
    const missing = mean ? 'standard deviation' : std ? 'mean' : 'mean and standard deviation';
    questions.push(`Which ${missing} were the pixels normalised with?${where}${done}`);
  }
  if (classifier && !classifier.lastLayer) {
    questions.push(
      'Which layer is the last linear one? None was found before the logits, so methods that read class templates cannot be used.',
    );
  }
  return questions;
}
