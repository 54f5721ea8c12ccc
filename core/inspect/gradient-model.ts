import { WorkbenchError } from '../base/errors.ts';
import { GraphBuilder, type Value } from '../autodiff/builder.ts';
import { gradients } from '../autodiff/differentiate.ts';
import { inlineGraph } from '../autodiff/inline.ts';
import type { Dim, Graph, GraphNode, OnnxModel } from '../onnx/graph.ts';
import { spellQuantisation } from '../onnx/spell-quantisation.ts';
import { usesOf } from '../onnx/topology.ts';
import { houseModel } from '../onnx/write.ts';
import { generaliseBatch } from './any-batch.ts';
import { flatLogits, meanCrossEntropy, pick, sumOfSquares } from './objective.ts';
import { PlainBuilder } from './plain-builder.ts';
import { openQuestion, type GradientRequest, type Question } from './question.ts';

/** An input or output of a gradient file, as it is documented. */
export interface Port {
  readonly name: string;
  readonly dtype: string;
  /** A number, or the name of the symbolic batch dimension. */
  readonly shape: readonly Dim[];
  readonly meaning: string;
}

export interface GradientModel {
  readonly model: OnnxModel;
  readonly inputs: readonly Port[];
  readonly outputs: readonly Port[];
  /** The batch size the file works with; undefined for any. */
  readonly fixedBatch: number | undefined;
  readonly notes: readonly string[];
}

/**
 * A model that computes derivatives of another one: standard operators of the house operator set, and nothing that only
 * this workbench knows.
 *
 * Of `cross-entropy`: the mean over the images. Of `logit`: the logit of each image's label; gradients are of their sum
 * over the images, so that row n of the gradient by the input is that of image n. Of a value of the graph: of the sum of
 * its elements. Order 2 adds ∂/∂input Σ‖dp‖² over the parameters asked for, or over all.
 * @throws PARAM_INVALID for names that the model does not have, MODEL_UNSUITABLE, OP_NO_GRADIENT, OP_UNSUPPORTED
 */
export function gradientModel(model: OnnxModel, request: GradientRequest): GradientModel {
  const question = openQuestion(model, request);
  const notes: string[] = [];
  const result =
    question.batch === undefined ? undefined : generaliseBatch((n) => emit(question, n, true).graph, question.batch);
  const fixed = question.fixedBatch ?? 1;
  if (result && 'reason' in result) {
    notes.push(`The batch is fixed to ${fixed}, because ${result.reason}.`);
  }
  const isFree = result !== undefined && 'graph' in result;
  // The ports are documented from a build of their own; its batch size stands for the symbolic one.
  const built = emit(question, fixed, isFree);
  const graph = earlyLeavesLast(isFree ? result.graph : built.graph);
  const described = (values: Graph['inputs'], meanings: ReadonlyMap<string, string>): Port[] =>
    values.map(({ name, dtype, shape = [] }) => ({ name, dtype, shape, meaning: meanings.get(name) ?? '' }));
  const ports = {
    inputs: described(graph.inputs, built.meanings),
    outputs: described(graph.outputs, built.meanings),
  };
  return {
    model: houseModel(spellQuantisation(graph), metadataOf(model, request, ports)),
    ...ports,
    fixedBatch: isFree || question.hasNoBatch ? undefined : fixed,
    notes: [...notes, ...built.notes],
  };
}

function metadataOf(
  model: OnnxModel,
  { of, wrt, order }: GradientRequest,
  ports: Pick<GradientModel, 'inputs' | 'outputs'>,
): Record<string, string> {
  const lines = (list: readonly Port[]): string =>
    list.map(({ name, dtype, shape, meaning }) => `${name} ${dtype} [${shape.join(', ')}]: ${meaning}`).join('\n');
  return {
    ...model.metadata,
    'palimpsest.gradient.of': of,
    'palimpsest.gradient.wrt': wrt.join(','),
    'palimpsest.gradient.order': String(order),
    'palimpsest.gradient.inputs': lines(ports.inputs),
    'palimpsest.gradient.outputs': lines(ports.outputs),
  };
}

interface Emitted {
  readonly graph: Graph;
  readonly meanings: ReadonlyMap<string, string>;
  readonly notes: readonly string[];
}

/** The graph for one batch size. `isFree`: its inputs are to be declared with a symbolic batch. */
function emit(question: Question, batch: number, isFree: boolean): Emitted {
  const { names } = question;
  const graph = question.graphFor(batch);
  const g = isFree ? new PlainBuilder(question.prefix) : new GraphBuilder(question.prefix);
  const inputs: Record<string, Value> = {};
  for (const { name, dtype, shape } of question.inputs) {
    const declared = shape.map((dim): Dim => (typeof dim === 'string' && !isFree ? batch : dim));
    const sizes = shape.map((dim) => (typeof dim === 'string' ? batch : dim));
    inputs[name] = g.input(name, dtype, sizes, declared);
  }
  const parameters: Record<string, Value> = {};
  for (const name of question.differentiated) {
    const tensor = graph.initializers.get(name);
    // An input while the graph is made, so that it is not folded away; an initialiser in the end.
    if (!tensor) continue;
    const parameter = g.input(name, tensor.dtype, tensor.dims);
    g.fix(parameter);
    parameters[name] = parameter;
  }
  const inlined = inlineGraph(g, graph, { inputs, parameters });
  const source = inlined.value(question.source);
  const meanings = new Map<string, string>();
  const put = (name: string, value: Value, meaning: string): void => {
    g.output(name, value);
    meanings.set(name, meaning);
  };
  for (const { name, meaning } of question.inputs) meanings.set(name, meaning);
  const total = emitObjective(g, question, source, { batch, isFree, put, meanings });
  const wanted = question.input === undefined ? undefined : inputs[question.input];
  const [dx, ...dp] = gradients(g, total, [...(wanted ? [wanted] : [g.scalar(0)]), ...Object.values(parameters)]);
  const notes: string[] = [];
  const objective = total === source || question.of === 'cross-entropy' ? question.title : `Σ ${question.title}`;
  if (question.wrtInput && wanted) {
    if (!dx) throw noPath(question);
    put(names.dx, dx, `∂ ${objective} / ∂ ${question.input ?? ''}`);
  }
  const keys = Object.keys(parameters);
  for (const key of question.parameters) {
    const value = dp[keys.indexOf(key)];
    if (!value) notes.push(`${objective} does not depend on ${key}: its gradient is zero.`);
    const zero = (): Value => g.full(graph.initializers.get(key)?.dims ?? [], 0);
    put(names.dp.get(key) ?? key, value ?? zero(), `∂ ${objective} / ∂ ${key}`);
  }
  if (question.order === 2 && wanted) {
    const present = dp.filter((value) => value !== undefined);
    const norm = present.length === 0 ? undefined : sumOfSquares(g, present);
    const [d2x] = norm ? gradients(g, norm, [wanted]) : [];
    if (!norm || !d2x) throw noPath(question);
    const which = keys.length === 1 ? `∂ ${objective} / ∂ ${keys[0] ?? ''}` : `dp of ${keys.length} parameters`;
    put(names.norm, norm, `sum of squares of ${which}`);
    put(names.d2x, d2x, `∂ ${names.norm} / ∂ ${question.input ?? ''}`);
  }
  return { graph: withWeights(g.build(question.title), graph, keys), meanings, notes };
}

interface Objective {
  readonly batch: number;
  readonly isFree: boolean;
  readonly put: (name: string, value: Value, meaning: string) => void;
  readonly meanings: Map<string, string>;
}

/** Emits what is differentiated, with its outputs, and gives it as a scalar. */
function emitObjective(g: GraphBuilder, question: Question, source: Value, to: Objective): Value {
  const { names, of } = question;
  const { put } = to;
  if (of !== 'cross-entropy' && of !== 'logit') {
    if (!source.dtype.startsWith('float')) {
      throw new WorkbenchError('PARAM_INVALID', `${question.source} is ${source.dtype}, which has no derivative`, {
        hint: 'Choose a value of floating-point numbers.',
      });
    }
    put(names.value, source, `${question.source} of the model`);
    return g.reduceSum(source);
  }
  const logits = flatLogits(g, source);
  const [n = 1, classes = 0] = logits.shape;
  const dimension = to.isFree ? (question.batch?.dimension ?? n) : n;
  const labels = g.input(names.labels, 'int64', [n], [dimension]);
  to.meanings.set(names.labels, `class of each image, 0 to ${classes - 1}`);
  if (of === 'cross-entropy') {
    const loss = meanCrossEntropy(g, logits, labels);
    put(names.value, loss, 'mean cross-entropy over the images, in nat');
    put(names.logits, logits, 'class scores before softmax');
    return loss;
  }
  const chosen = pick(g, logits, labels);
  put(names.value, chosen, 'logit of the class of each image');
  put(names.logits, logits, 'class scores before softmax');
  return g.reduceSum(chosen);
}

/** Parameters that were inputs become initialisers again. */
function withWeights(built: Graph, source: Graph, keys: readonly string[]): Graph {
  const promoted = new Set(keys);
  const initializers = new Map(built.initializers);
  const used = new Set(built.nodes.flatMap(({ inputs }) => inputs));
  for (const key of keys) {
    const tensor = source.initializers.get(key);
    if (tensor && used.has(key)) initializers.set(key, tensor);
  }
  return { ...built, inputs: built.inputs.filter(({ name }) => !promoted.has(name)), initializers };
}

/**
 * Nodes that no other reads, moved to the end, the first of them last. onnxruntime starts from the last of them and
 * computes what each needs: so gradients by the parameters of the last layers are taken on the way back to the first ones,
 * and what they were taken from is freed, where otherwise all cotangents would be made first.
 */
function earlyLeavesLast(graph: Graph): Graph {
  const read = new Set(graph.nodes.flatMap(usesOf));
  const isLeaf = ({ outputs }: GraphNode): boolean => outputs.every((name) => !read.has(name));
  const leaves = graph.nodes.filter(isLeaf).toReversed();
  return { ...graph, nodes: [...graph.nodes.filter((node) => !isLeaf(node)), ...leaves] };
}

const noPath = ({ title, input }: Question): WorkbenchError =>
  new WorkbenchError('MODEL_UNSUITABLE', `${title} does not follow ${input ?? 'the input'} in a differentiable way`, {
    hint: 'See `palimpsest inspect` for operators without derivative on the way.',
  });
