import { assetPath } from '../data/assets.ts';
import { basename } from 'node:path';
import { toWorkbenchError, WorkbenchError } from '../base/errors.ts';
import { Normalisation, type ModelRef } from '../contract/run.ts';
import { cutAtLogits, describeClassifier, openClassifier } from '../onnx/classifier.ts';
import type { ClassifierDescription } from '../onnx/classifier/description.ts';
import { float32, type Tensor } from '../base/tensor.ts';
import type { Graph, GraphNode, OnnxModel } from '../onnx/graph.ts';
import { buildArchitecture } from './zoo/architectures.ts';

/** A classifier ready for a method: images [N, C, H, W] in, logits [N, classes] out. */
export interface OpenedModel {
  /** File name or architecture, for messages. */
  readonly title: string;
  /** House operator set, cut at the logits; one input, one output. */
  readonly graph: Graph;
  /** The whole model, for export with new weights. */
  readonly model: OnnxModel;
  readonly inputName: string;
  readonly logitsName: string;
  /** [C, H, W]. */
  readonly shape: readonly [number, number, number];
  readonly classes: number;
  /** What the user calls its classes. */
  readonly classNames?: readonly string[] | undefined;
  readonly description: ClassifierDescription;
}

/** Where the models that come with the workbench lie. */
export const bundledModel = (name: string): string => assetPath(`models/${name}.onnx`);

/**
 * Opens a classifier file. Pixels in [0, 1] are normalised inside the graph, as `normalisation` says or else the file's
 * metadata; `dims` are sizes of symbolic dimensions, `classNames` what its classes are called.
 * @throws MODEL_UNREADABLE, MODEL_UNSUITABLE, MODEL_NOT_FINITE, OP_UNSUPPORTED, PARAM_INVALID
 */
export async function openModelFile(
  path: string,
  normalisation?: Normalisation,
  dims?: Readonly<Record<string, number>>,
  classNames?: readonly string[],
): Promise<OpenedModel> {
  try {
    const { model, description } = await openClassifier(path, dims);
    return { ...opened(basename(path), model, description, normalisation ?? normalisationOf(model)), classNames };
  } catch (thrown) {
    const { code, message, hint, details } = toWorkbenchError(thrown);
    if (message.includes(basename(path))) throw thrown;
    throw new WorkbenchError(code, `${basename(path)}: ${message}`, { hint, details, cause: thrown });
  }
}

/** What a zoo model needs to fit: the images and classes of the data or of the teacher. */
export interface ModelFit {
  readonly shape: readonly [number, number, number];
  readonly classes: number;
  readonly seed: number;
}

/**
 * Opens a file, or builds an architecture for the given images and classes. A file that does not fit is
 * MODEL_UNSUITABLE, all reasons at once.
 */
export async function openModel(ref: ModelRef, role: string, fit: ModelFit): Promise<OpenedModel> {
  if (ref.kind === 'zoo') {
    const [channels, height, width] = fit.shape;
    const model = buildArchitecture(ref.architecture, {
      channels,
      height,
      width,
      classes: fit.classes,
      seed: fit.seed,
    });
    return opened(ref.architecture, model, describeClassifier(model));
  }
  const file = await openModelFile(ref.path, ref.normalisation, ref.dims, ref.classNames);
  const reasons = [
    ...(file.shape.join() === fit.shape.join()
      ? []
      : [`it takes images of ${file.shape.join(' × ')}, expected ${fit.shape.join(' × ')}`]),
    ...(file.classes === fit.classes ? [] : [`it has ${file.classes} classes, expected ${fit.classes}`]),
  ];
  if (reasons.length > 0) {
    throw new WorkbenchError('MODEL_UNSUITABLE', `The ${role} ${file.title} does not fit: ${reasons.join('; ')}`, {
      hint: `Choose a ${role} with the same input and classes, or an architecture of the zoo.`,
    });
  }
  return file;
}

const normalisationKey = 'palimpsest.normalisation';

function normalisationOf({ metadata }: OnnxModel): Normalisation | undefined {
  const text = metadata[normalisationKey];
  if (text === undefined) return undefined;
  try {
    return Normalisation.parse(JSON.parse(text));
  } catch (thrown) {
    throw new WorkbenchError(
      'MODEL_UNREADABLE',
      `Its metadata entry ${normalisationKey} is not {"mean": […], "std": […]}: ${text}`,
      {
        hint: 'Give mean and standard deviation yourself, or correct the entry.',
        cause: thrown,
      },
    );
  }
}

function opened(
  title: string,
  model: OnnxModel,
  description: ClassifierDescription,
  normalisation?: Normalisation,
): OpenedModel {
  const cut = cutAtLogits(model);
  const graph = normalisation ? normalised(cut, normalisation, description.input.channels) : cut;
  const [input] = graph.inputs;
  const [output] = graph.outputs;
  if (!input || !output) throw new WorkbenchError('INTERNAL', `${title} has lost its input or output`);
  const { channels, height, width, fixedBatch } = description.input;
  if (fixedBatch !== undefined) {
    throw new WorkbenchError(
      'MODEL_UNSUITABLE',
      `${title} works with batches of ${fixedBatch} only, expected a model that takes any number of images`,
      { hint: 'Export it again with a dynamic batch dimension.' },
    );
  }
  return {
    title,
    graph,
    // What is written with new weights expects the same pixels.
    model: normalisation
      ? { ...model, metadata: { ...model.metadata, [normalisationKey]: JSON.stringify(normalisation) } }
      : model,
    inputName: input.name,
    logitsName: output.name,
    shape: [channels, height, width],
    classes: description.classCount,
    description,
  };
}

/** The graph with (pixel − mean) / std in front: its input is pixels in [0, 1], every name inside stays. */
function normalised(graph: Graph, { mean, std }: Normalisation, channels: number): Graph {
  const [input] = graph.inputs;
  for (const [what, values] of Object.entries({ mean, std })) {
    if (values.length === 1 || values.length === channels) continue;
    throw new WorkbenchError(
      'MODEL_UNSUITABLE',
      `Normalisation: expected 1 or ${channels} numbers for ${what}, got ${values.length}`,
      {
        hint: `The model takes images of ${channels} channels.`,
      },
    );
  }
  if (!input) return graph;
  const name = (part: string): string => `palimpsest.${part}/${input.name}`;
  const constant = (values: readonly number[]): Tensor => float32([1, values.length, 1, 1], values);
  const node = (op: string, left: string, right: string, output: string): GraphNode => ({
    name: output,
    domain: '',
    op,
    inputs: [left, right],
    outputs: [output],
    attributes: {},
  });
  return {
    ...graph,
    inputs: [{ ...input, name: name('pixels') }],
    initializers: new Map([...graph.initializers, [name('mean'), constant(mean)], [name('std'), constant(std)]]),
    nodes: [
      node('Sub', name('pixels'), name('mean'), name('centred')),
      node('Div', name('centred'), name('std'), input.name),
      ...graph.nodes,
    ],
  };
}
