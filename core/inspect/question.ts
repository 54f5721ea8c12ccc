import { WorkbenchError } from '../base/errors.ts';
import type { DType } from '../base/tensor.ts';
import { describeClassifier } from '../onnx/classifier.ts';
import { takeBranches } from '../onnx/classifier/branches.ts';
import { withImageSize } from '../onnx/classifier/image-size.ts';
import { findParameters } from '../onnx/classifier/parameters.ts';
import type { Dim, Graph, OnnxModel, ValueInfo } from '../onnx/graph.ts';
import { normalise } from '../onnx/normalise.ts';
import { pruneGraph, usesOf } from '../onnx/topology.ts';

export interface GradientRequest {
  /** `cross-entropy`, `logit`, or a value of the graph by name. */
  readonly of: string;
  /** `input`, `parameters`, or names of inputs and initialisers. */
  readonly wrt: readonly string[];
  readonly order: 1 | 2;
}

export interface QuestionInput {
  readonly name: string;
  readonly dtype: DType;
  /** A text is the name of the symbolic batch dimension. */
  readonly shape: readonly Dim[];
  readonly meaning: string;
}

/** What is differentiated by what, with every name settled. */
export interface Question {
  readonly of: string;
  /** For people: `loss`, `logit`, or the name of the value. */
  readonly title: string;
  readonly order: 1 | 2;
  /** House operator set, in the layout of the file, pruned to `source`, with the branches taken for this batch size. */
  readonly graphFor: (batch: number) => Graph;
  readonly source: string;
  readonly inputs: readonly QuestionInput[];
  /** The input that is differentiated by; undefined when only parameters are asked for. */
  readonly input: string | undefined;
  readonly wrtInput: boolean;
  /** Initialisers whose gradients are put out. */
  readonly parameters: readonly string[];
  /** Initialisers that gradients are taken by: the above, and at order 2 those of the norm. */
  readonly differentiated: readonly string[];
  /** How the batch is symbolic in the file; undefined when it is fixed or there is none. */
  readonly batch: { readonly input: string; readonly dimension: string; readonly prefix: string } | undefined;
  readonly fixedBatch: number | undefined;
  readonly hasNoBatch: boolean;
  /** Begins the names of what is added. */
  readonly prefix: string;
  readonly names: {
    readonly labels: string;
    /** The objective: loss, logit, or the name of the value. */
    readonly value: string;
    readonly logits: string;
    readonly dx: string;
    readonly dp: ReadonlyMap<string, string>;
    readonly norm: string;
    readonly d2x: string;
  };
}

/** @throws PARAM_INVALID, MODEL_UNSUITABLE, OP_UNSUPPORTED */
export function openQuestion(model: OnnxModel, { of, wrt, order }: GradientRequest): Question {
  const { source, graph: whole } = sourceOf(model, of);
  const input = imageInput(whole);
  const dims = batchOf(whole, input);
  const graphFor = (batch: number): Graph => straightened(whole, dims, batch);
  const graph = graphFor(dims.fixed ?? trialBatch);
  const wanted = wantedOf(graph, wrt, input);
  const trainable = findParameters(graph, input?.name ?? '').map(({ name }) => name);
  const wrtInput = wanted.inputs.length > 0;
  const parameters = [...new Set([...wanted.names, ...(wanted.isAll ? trainable : [])])];
  const summed = order === 2 && parameters.length === 0 ? trainable : parameters;
  const differentiatedInput = wanted.inputs[0] ?? (order === 2 ? input?.name : undefined);
  if (order === 2 && (differentiatedInput === undefined || summed.length === 0)) {
    throw new WorkbenchError('MODEL_UNSUITABLE', 'Order 2 needs an input and parameters, and this model has not both', {
      hint: 'Use --order 1.',
    });
  }
  const taken = takenNames(graph);
  const free = (name: string): string => {
    let fresh = name;
    while (taken.has(fresh)) fresh += '_';
    taken.add(fresh);
    return fresh;
  };
  let prefix = 'gradient/';
  while ([...taken].some((name) => name.startsWith(prefix))) prefix = `_${prefix}`;
  const isNamed = of !== 'cross-entropy' && of !== 'logit';
  const title = of === 'cross-entropy' ? 'loss' : of;
  // Values of the graph get other names when it is built, so those may be used again.
  return {
    of,
    title,
    order,
    graphFor,
    source,
    inputs: graph.inputs.map((each) => ({
      name: each.name,
      dtype: each.dtype,
      shape: each.shape ?? [],
      meaning: each.name === input?.name ? 'images as the model takes them' : 'as the model takes it',
    })),
    input: differentiatedInput,
    wrtInput,
    parameters,
    differentiated: [...new Set([...parameters, ...(order === 2 ? summed : [])])],
    batch: dims.isFree && input ? { input: input.name, dimension: dims.dimension, prefix } : undefined,
    fixedBatch: dims.fixed,
    hasNoBatch: input === undefined,
    prefix,
    names: {
      labels: isNamed ? '' : free('labels'),
      value: free(title),
      logits: isNamed ? '' : free('logits'),
      dx: free('dx'),
      dp: new Map(parameters.map((name) => [name, free(`dp/${name}`)])),
      norm: free('dp_squared_norm'),
      d2x: free('d2x'),
    },
  };
}

/** A batch size that is hardly ever a size of something else. */
const trialBatch = 3;

/** Without branches that are known for this batch size, unneeded nodes, and inputs that nothing reads. */
function straightened(whole: Graph, { dimension }: Batch, batch: number): Graph {
  const shapes = Object.fromEntries(
    whole.inputs.map(({ name, shape }) => [name, (shape ?? []).map((dim) => (typeof dim === 'number' ? dim : batch))]),
  );
  const graph = pruneGraph(takeBranches(whole, shapes));
  const used = new Set(graph.nodes.flatMap(usesOf));
  const inputs = graph.inputs.filter(({ name }) => used.has(name));
  // Only the batch is symbolic, under one name.
  const named = (dim: Dim): Dim => (typeof dim === 'string' ? dimension : dim);
  return { ...graph, inputs: inputs.map((each) => ({ ...each, shape: each.shape?.map(named) })) };
}

/** Names that stay in the file: inputs and initialisers. */
const takenNames = (graph: Graph): Set<string> =>
  new Set([...graph.inputs.map(({ name }) => name), ...graph.initializers.keys()]);

/** The graph up to what is differentiated. */
function sourceOf(model: OnnxModel, of: string): { source: string; graph: Graph } {
  if (of === 'cross-entropy' || of === 'logit') {
    const { logits, input } = describeClassifier(model);
    const { graph } = normalise(withImageSize(model, input));
    return { source: logits, graph: endingIn(graph, logits) };
  }
  const { graph } = normalise(model);
  const isKnown = graph.nodes.some(({ outputs }) => outputs.includes(of));
  if (of !== '' && isKnown) return { source: of, graph: endingIn(graph, of) };
  const outputs = graph.outputs.map(({ name }) => name).join(', ');
  throw new WorkbenchError('PARAM_INVALID', `The model has no value "${of}" to differentiate`, {
    hint: `Its outputs are ${outputs}. cross-entropy and logit are of its class scores.`,
  });
}

function endingIn(graph: Graph, name: string): Graph {
  const output = graph.outputs.find((each) => each.name === name);
  return pruneGraph(graph, [output ?? { name, dtype: 'float32', shape: undefined }]);
}

/** The image input: the one of four dimensions, else the first of floating-point numbers. */
function imageInput(graph: Graph): ValueInfo | undefined {
  const floats = graph.inputs.filter(({ dtype }) => dtype.startsWith('float'));
  return floats.find(({ shape }) => shape?.length === 4) ?? floats[0];
}

interface Wanted {
  readonly inputs: readonly string[];
  readonly names: readonly string[];
  /** All trainable parameters. */
  readonly isAll: boolean;
}

function wantedOf(graph: Graph, wrt: readonly string[], input: ValueInfo | undefined): Wanted {
  const inputs = new Set<string>();
  const names: string[] = [];
  const unknown: string[] = [];
  for (const word of wrt) {
    if (word === 'parameters') continue;
    if (graph.inputs.some(({ name }) => name === word)) inputs.add(word);
    else if (graph.initializers.get(word)?.dtype === 'float32') names.push(word);
    else if (word === 'input' && input) inputs.add(input.name);
    else unknown.push(word);
  }
  if (unknown.length > 0 || inputs.size > 1) {
    const floats = [...graph.initializers].filter(([, { dtype }]) => dtype === 'float32').map(([name]) => name);
    const shown = floats.slice(0, 6).join(', ');
    const rest = floats.length > 6 ? ` and ${floats.length - 6} more` : '';
    const problem = unknown.length > 0 ? `no float32 input or initialiser ${unknown.join(', ')}` : 'several inputs';
    throw new WorkbenchError(
      'PARAM_INVALID',
      unknown.length > 0 ? `The model has ${problem} on the way` : `Expected one input, got ${[...inputs].join(', ')}`,
      {
        hint: `Write input, parameters, or names: ${[...graph.inputs.map(({ name }) => name), shown].join(', ')}${rest}.`,
      },
    );
  }
  return { inputs: [...inputs], names, isAll: wrt.includes('parameters') };
}

interface Batch {
  readonly isFree: boolean;
  readonly dimension: string;
  readonly fixed: number | undefined;
}

/** The one symbolic dimension that is allowed: the first of the image input, and of others under the same name. */
function batchOf(graph: Graph, input: ValueInfo | undefined): Batch {
  const first = input?.shape?.[0];
  const isFree = typeof first === 'string';
  const dimension = isFree && first !== '' ? first : 'batch';
  const open = graph.inputs.flatMap(({ name, shape }) => {
    if (shape === undefined) return [`${name} of unknown rank`];
    return shape.flatMap((dim, axis) => {
      const isBatch = axis === 0 && isFree && (dim === first || name === input?.name);
      return typeof dim === 'string' && !isBatch ? [`dimension ${axis} ("${dim}") of ${name}`] : [];
    });
  });
  if (open.length === 0) return { isFree, dimension, fixed: typeof first === 'number' ? first : undefined };
  throw new WorkbenchError(
    'MODEL_UNSUITABLE',
    `Expected sizes that are fixed but for the batch, got ${open.join(', ')}`,
    {
      hint: 'Say the sizes with --dims NAME=SIZE, for instance --dims height=224,width=224.',
    },
  );
}
