import { fileURLToPath } from 'node:url';
import { basename } from 'node:path';
import { toWorkbenchError, WorkbenchError } from '../base/errors.ts';
import type { ModelRef } from '../contract/run.ts';
import { cutAtLogits, describeClassifier, openClassifier } from '../onnx/classifier.ts';
import type { ClassifierDescription } from '../onnx/classifier/description.ts';
import type { Graph, OnnxModel } from '../onnx/graph.ts';
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
  readonly description: ClassifierDescription;
}

/** Where the models that come with the workbench lie. */
export const bundledModel = (name: string): string =>
  fileURLToPath(new URL(`../../assets/models/${name}.onnx`, import.meta.url));

/** Opens a classifier file. @throws MODEL_UNREADABLE, MODEL_UNSUITABLE, MODEL_NOT_FINITE, OP_UNSUPPORTED */
export async function openModelFile(path: string): Promise<OpenedModel> {
  try {
    const { model, description } = await openClassifier(path);
    return opened(basename(path), model, description);
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
  const file = await openModelFile(ref.path);
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

function opened(title: string, model: OnnxModel, description: ClassifierDescription): OpenedModel {
  const graph = cutAtLogits(model);
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
    model,
    inputName: input.name,
    logitsName: output.name,
    shape: [channels, height, width],
    classes: description.classCount,
    description,
  };
}
