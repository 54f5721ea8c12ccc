import { invariant, WorkbenchError } from '../base/errors.ts';
import type { Tensor } from '../base/tensor.ts';
import { stream } from '../base/rng.ts';
import { GraphBuilder, type Value } from '../autodiff/builder.ts';
import { gradients } from '../autodiff/differentiate.ts';
import { inlineGraph, type BatchStatistics } from '../autodiff/inline.ts';
import type { Graph } from '../onnx/graph.ts';
import type { ValueType } from '../onnx/infer.ts';
import { stackSteps, type LoopTypes, type LoopValues } from '../runtime/loop.ts';
import type { Optimiser } from './optimisers.ts';
import { runningStatistics, trainableParameters } from './parameters.ts';

type Values = Readonly<Record<string, Value>>;

/** What the caller's part of a step sees: its own feeds as values. */
export interface StepFeeds {
  /** One entry of what is fed for each step (labels, indices, transforms). */
  readonly steps: Values;
  /** What is fed once a chunk (images to gather from). */
  readonly shared: Values;
}

export interface StudentOutput extends StepFeeds {
  /** What `input` returned: [N, C, H, W]. */
  readonly input: Value;
  /** [N, K]. */
  readonly logits: Value;
  /** Any inner value of the student by its name in the graph. */
  value(name: string): Value;
}

/** A training step of one network, described by what differs from case to case. */
export interface TrainingStepOptions {
  /** House-opset graph of the student, with dropout if it has any. */
  readonly graph: Graph;
  /** Default: the graph's only input and first output. */
  readonly inputName?: string;
  readonly outputName?: string;
  readonly steps: Readonly<Record<string, ValueType>>;
  readonly shared?: Readonly<Record<string, ValueType>>;
  /** Emits the student's input: gathers, augments, labels. Its shape fixes the batch size. */
  readonly input: (g: GraphBuilder, feeds: StepFeeds) => Value;
  /** Emits the scalar loss, and scalars to record under other names. */
  readonly loss: (g: GraphBuilder, student: StudentOutput) => { loss: Value; metrics?: Values };
  readonly optimiser: Optimiser;
  /** Which of the trainable parameters are trained; default all. */
  readonly trains?: (name: string) => boolean;
}

interface DropoutMask {
  readonly shape: readonly number[];
  readonly ratio: number;
}

/** The step as a Loop body, with the state it carries and the feeds it needs. */
export interface TrainingStep {
  readonly types: LoopTypes;
  readonly initialState: Readonly<Record<string, Tensor>>;
  /** Names of the student's initialisers held in the state: what is trained, and running statistics. */
  readonly parameterNames: readonly string[];
  body(g: GraphBuilder, values: LoopValues): { state: Record<string, Value>; trace: Record<string, Value> };
  /** Feeds of our own: the optimiser's scalars and the dropout masks of steps `first` … `first + count − 1`. */
  feeds(first: number, count: number, seed: number, schedule: (step: number) => number): Record<string, Tensor>;
}

const studentKey = (name: string): string => `student.${name}`;
const optimiserKey = (name: string): string => `optimiser.${name}`;
const scalarsKey = 'optimiser.scalars';
const maskKey = (index: number): string => `dropout.${index}`;

export function describeTrainingStep(options: TrainingStepOptions): TrainingStep {
  const { graph, optimiser, trains = () => true } = options;
  const trained = trainableParameters(graph).filter(({ name }) => trains(name));
  if (trained.length === 0) {
    throw new WorkbenchError('MODEL_UNSUITABLE', `Model ${graph.name} has no trainable weights`, {
      hint: 'Weights must be float32 initialisers of the file.',
    });
  }
  const statistics = runningStatistics(graph).flatMap(({ mean, variance }) => [mean, variance]);
  const initial = Object.fromEntries(trained.map(({ name, initial: tensor }) => [name, tensor]));
  const carried: Record<string, Tensor> = { ...initial };
  for (const name of statistics) {
    const tensor = graph.initializers.get(name);
    if (tensor) carried[name] = tensor;
  }
  const optimiserState = optimiser.stateFor(initial);
  const initialState = { ...mapKeys(carried, studentKey), ...mapKeys(optimiserState, optimiserKey) };
  const masks = findDropout(options, carried);
  const types: LoopTypes = {
    state: Object.fromEntries(Object.entries(initialState).map(([key, t]) => [key, { dtype: t.dtype, shape: t.dims }])),
    steps: {
      ...options.steps,
      [scalarsKey]: { dtype: 'float32', shape: [optimiser.scalarCount] },
      ...Object.fromEntries(masks.map(({ shape }, i) => [maskKey(i), { dtype: 'float32' as const, shape }])),
    },
    shared: options.shared ?? {},
  };
  return {
    types,
    initialState,
    parameterNames: Object.keys(carried),
    body(g, { state, steps, shared }) {
      const parameters = pickKeys(state, Object.keys(carried), studentKey);
      const { loss, metrics, batchStatistics } = emitLoss(g, options, { steps, shared }, parameters, (_, __, i) =>
        requireValue(steps, maskKey(i)),
      );
      const weights = Object.keys(initial).map((name) => requireValue(parameters, name));
      const grads = gradients(g, loss, weights);
      const next = optimiser.update(g, {
        parameters: pickKeys(state, Object.keys(initial), studentKey),
        grads: Object.fromEntries(Object.keys(initial).map((name, i) => [name, grads[i]])),
        state: pickKeys(state, Object.keys(optimiserState), optimiserKey),
        scalars: requireValue(steps, scalarsKey),
      });
      return {
        state: {
          ...state,
          ...mapKeys(next.parameters, studentKey),
          ...mapKeys(nextStatistics(g, batchStatistics, parameters), studentKey),
          ...mapKeys(next.state, optimiserKey),
        },
        trace: { loss, ...metrics },
      };
    },
    feeds: (first, count, seed, schedule) => ({
      [scalarsKey]: stackSteps(count, [optimiser.scalarCount], (k, row) =>
        row.set(optimiser.scalars(schedule(first + k), first + k)),
      ),
      ...Object.fromEntries(
        masks.map(({ shape, ratio }, i) => [
          maskKey(i),
          stackSteps(count, shape, (k, row) => {
            const rng = stream(seed, 'dropout', i, first + k);
            for (let j = 0; j < row.length; j++) row[j] = rng.uniform() < ratio ? 0 : 1 / (1 - ratio);
          }),
        ]),
      ),
    }),
  };
}

/**
 * running ← momentum·running + (1 − momentum)·batch. ONNX divides the batch's variance by n, PyTorch's running variance
 * by n − 1; we follow PyTorch, so that exported students match what its users expect.
 */
function nextStatistics(
  g: GraphBuilder,
  statistics: readonly BatchStatistics[],
  parameters: Values,
): Record<string, Value> {
  const blend = (name: string, batch: Value, momentum: number, factor = 1): [string, Value] => [
    name,
    g.add(g.mul(requireValue(parameters, name), momentum), g.mul(batch, (1 - momentum) * factor)),
  ];
  return Object.fromEntries(
    statistics.flatMap(({ meanName, varianceName, mean, variance, count, momentum }) => [
      blend(meanName, mean, momentum),
      blend(varianceName, variance, momentum, count > 1 ? count / (count - 1) : 1),
    ]),
  );
}

function emitLoss(
  g: GraphBuilder,
  options: TrainingStepOptions,
  feeds: StepFeeds,
  parameters: Values,
  dropoutMask: (shape: readonly number[], ratio: number, index: number) => Value,
): { loss: Value; metrics: Values; batchStatistics: readonly BatchStatistics[] } {
  const { graph } = options;
  const inputName = options.inputName ?? graph.inputs[0]?.name ?? '';
  const outputName = options.outputName ?? graph.outputs[0]?.name ?? '';
  const input = options.input(g, feeds);
  const inlined = inlineGraph(g, graph, { inputs: { [inputName]: input }, parameters, mode: 'training', dropoutMask });
  const logits = inlined.outputs[outputName];
  invariant(logits, `graph ${graph.name} has output ${outputName}`);
  const { loss, metrics = {} } = options.loss(g, { ...feeds, input, logits, value: (name) => inlined.value(name) });
  invariant(loss.shape.length === 0, 'a training loss is a scalar');
  return { loss, metrics, batchStatistics: inlined.batchStatistics };
}

/** The masks must be declared before the body is built, and their shapes are known only by building it: a dry run. */
function findDropout(options: TrainingStepOptions, carried: Readonly<Record<string, Tensor>>): readonly DropoutMask[] {
  if (!options.graph.nodes.some((node) => node.op === 'Dropout')) return [];
  const g = new GraphBuilder();
  const masks: DropoutMask[] = [];
  const declare = (types: Readonly<Record<string, ValueType>>, prefix: string): Values =>
    Object.fromEntries(
      Object.entries(types).map(([name, type]) => [name, g.input(`${prefix}${name}`, type.dtype, type.shape)]),
    );
  const feeds = { steps: declare(options.steps, 'steps_'), shared: declare(options.shared ?? {}, 'shared_') };
  const types = Object.fromEntries(
    Object.entries(carried).map(([name, { dtype, dims }]) => [name, { dtype, shape: dims }]),
  );
  emitLoss(g, options, feeds, declare(types, 'student_'), (shape, ratio, index) => {
    masks[index] = { shape, ratio };
    return g.input(maskKey(index), 'float32', shape);
  });
  return masks;
}

const mapKeys = <T>(record: Readonly<Record<string, T>>, key: (name: string) => string): Record<string, T> =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [key(name), value]));

const pickKeys = (values: Values, names: readonly string[], key: (name: string) => string): Record<string, Value> =>
  Object.fromEntries(names.map((name) => [name, requireValue(values, key(name))]));

function requireValue(values: Values, name: string): Value {
  const value = values[name];
  invariant(value, `a value named ${name}`);
  return value;
}
