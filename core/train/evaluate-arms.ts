import type { Tensor } from '../base/tensor.ts';
import type { ImageSet } from '../data/dataset.ts';
import { evaluateArm, type ArmEvaluation } from '../metrics/evaluation.ts';
import type { SessionOptions } from '../runtime/session.ts';
import { createPredictor, type ImageSource } from './evaluate.ts';
import type { OpenedModel } from './models.ts';
import { withParameters } from './parameters.ts';

/** Logits [N, K] of a model, with other weights when `parameters` is given. */
export async function predictLogits(
  model: OpenedModel,
  source: ImageSource,
  session: SessionOptions,
  signal: AbortSignal,
  parameters: Readonly<Record<string, Tensor>> = {},
): Promise<Float32Array<ArrayBuffer>> {
  const { graph } = withParameters({ ...model.model, graph: model.graph }, parameters);
  const predictor = await createPredictor({ graph, shape: model.shape, session });
  try {
    return await predictor.predict(source, { signal });
  } finally {
    await predictor.close();
  }
}

export interface ArmToScore {
  readonly name: string;
  readonly title: string;
  readonly model: OpenedModel;
  readonly parameters?: Readonly<Record<string, Tensor>>;
}

/** The JSON artifact "evaluation" (core/report/evaluation.ts); the arm called 'teacher' is what agreement is measured with. */
export interface Evaluation {
  readonly testSet: string;
  readonly count: number;
  readonly classNames: readonly string[];
  readonly arms: readonly ArmEvaluation[];
}

/** Scores every arm on a labelled set; the teacher, if any, comes first. */
export async function evaluateArms(
  arms: readonly ArmToScore[],
  test: ImageSet,
  labels: Int32Array,
  classNames: readonly string[],
  session: SessionOptions,
  signal: AbortSignal,
): Promise<Evaluation> {
  const results: ArmEvaluation[] = [];
  let teacher: Float32Array | undefined;
  for (const { name, title, model, parameters } of arms) {
    const logits = await predictLogits(model, test, session, signal, parameters);
    results.push(evaluateArm({ name, title }, logits, labels, model.classes, name === 'teacher' ? undefined : teacher));
    if (name === 'teacher') teacher = logits;
  }
  return { testSet: test.title, count: test.count, classNames, arms: results };
}
