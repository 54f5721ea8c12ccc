import { invariant, WorkbenchError } from '../base/errors.ts';
import type { GraphBuilder, Value } from '../autodiff/builder.ts';
import { gradients } from '../autodiff/differentiate.ts';
import { inlineGraph } from '../autodiff/inline.ts';
import type { Graph } from '../onnx/graph.ts';
import { cotangentOf, type GoalRows, type Objective } from './objectives.ts';

/** A classifier as it is attacked: images in, logits out, normalisation inside the graph. Every OpenedModel is one. */
export interface AttackedModel {
  readonly title: string;
  readonly graph: Graph;
  readonly inputName: string;
  readonly logitsName: string;
  /** [C, H, W]. */
  readonly shape: readonly [number, number, number];
  readonly classes: number;
}

/** The model inside a graph under construction: images [B, C, H, W] → logits [B, K]. */
export interface Look {
  (g: GraphBuilder, images: Value): Value;
  /**
   * What losses are averaged over, where that is not the loss of the logits: models, or draws of a random defence. Each
   * gives logits [R·B, K] of R looks at the batch, one after the other.
   */
  readonly members?: readonly ((g: GraphBuilder, images: Value) => Value)[];
}

/**
 * Several models attacked as one (Dong et al. 2018, “Boosting adversarial attacks with momentum”): by the mean of their
 * logits, of their probabilities, or of their losses.
 */
export type Fusion = 'logits' | 'probabilities' | 'losses';

/** False for a sum of lengths that is NaN or has run over: no gradient that anything could follow. */
export const isFiniteSum = (g: GraphBuilder, sum: Value): Value => g.less(sum, 3.402823e38);

export function lookAt({ title, graph, inputName, logitsName, classes }: AttackedModel, spendsMemory: boolean): Look {
  return (g, images) => {
    if (spendsMemory) g.spendMemory();
    const { outputs } = inlineGraph(g, graph, { inputs: { [inputName]: images } });
    const logits = outputs[logitsName];
    invariant(logits, `graph ${graph.name} has its logits`);
    if (logits.shape.length === 2 && logits.shape[1] === classes) return logits;
    throw new WorkbenchError(
      'MODEL_UNSUITABLE',
      `${title}: expected logits of shape [${images.shape[0]}, ${classes}], got [${logits.shape.join(', ')}]`,
    );
  };
}

/** The mean of the logits, or the logarithm of the mean of the probabilities. */
export function fusedLook(looks: readonly Look[], by: Fusion): Look {
  const mean = (g: GraphBuilder, values: readonly Value[]): Value => g.mul(g.sumOf(values), 1 / values.length);
  const look: Look = (g, images) => {
    const logits = looks.map((each) => each(g, images));
    if (by !== 'probabilities') return mean(g, logits);
    const probabilities = logits.map((each) => g.softmax(each, 1));
    return logOf(g, mean(g, probabilities));
  };
  return by === 'losses' ? Object.assign(look, { members: looks }) : look;
}

/** Finite for a class that no look believes in. */
export const logOf = (g: GraphBuilder, probabilities: Value): Value => g.log(g.max(probabilities, 1e-30));

/** Logits [B, K], loss [B] and ∂(Σ loss)/∂images; the loss is averaged over the members of a look that has some. */
export function lossGradient(
  g: GraphBuilder,
  look: Look,
  model: Pick<AttackedModel, 'title'>,
  objective: Objective,
  { seen, images, goals }: { readonly seen: Value; readonly images: Value; readonly goals: GoalRows },
): { readonly logits: Value; readonly loss: Value; readonly gradient: Value } {
  const batch = seen.shape[0] ?? 1;
  const logits = look(g, seen);
  const parts = (look.members ?? [look]).map((member) => {
    const rows = member(g, seen);
    const looks = (rows.shape[0] ?? batch) / batch;
    const again = (each: Value): Value => g.concat(new Array<Value>(looks).fill(each), 0);
    const own = { labels: again(goals.labels), targets: goals.targets && again(goals.targets) };
    const { loss, cotangent } = cotangentOf(g, objective, rows, own);
    const gradient = inputGradient(g, rows, cotangent, images, model);
    if (looks === 1) return { loss, gradient };
    return { loss: g.reduceMean(g.reshape(loss, [looks, batch]), [0]), gradient: g.mul(gradient, 1 / looks) };
  });
  const mean = (values: readonly Value[]): Value =>
    values.length === 1 ? g.sumOf(values) : g.mul(g.sumOf(values), 1 / values.length);
  return { logits, loss: mean(parts.map(({ loss }) => loss)), gradient: mean(parts.map(({ gradient }) => gradient)) };
}

/** ∂⟨cotangent, logits⟩ / ∂images; MODEL_UNSUITABLE when the logits do not follow the images. */
export function inputGradient(
  g: GraphBuilder,
  logits: Value,
  cotangent: Value,
  images: Value,
  model: Pick<AttackedModel, 'title'>,
): Value {
  const [gradient] = gradients(g, [{ value: logits, cotangent }], [images]);
  if (gradient) return gradient;
  throw new WorkbenchError('MODEL_UNSUITABLE', `The logits of ${model.title} do not follow its images`, {
    hint: 'See `palimpsest inspect` for operators without derivative on the way.',
  });
}

/** An affine view of each image [B, C, H, W], bilinear with a zero border; theta [B, 2, 3] maps output to input in [−1, 1]. */
export function affineView(g: GraphBuilder, images: Value, theta: Value): Value {
  const [view] = g.op('GridSample', [images, g.affineGrid(theta, images.shape)], {
    mode: { type: 'string', value: 'linear' },
    padding_mode: { type: 'string', value: 'zeros' },
    align_corners: { type: 'int', value: 0 },
  });
  invariant(view, 'GridSample has an output');
  return view;
}
