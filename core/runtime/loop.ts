import { invariant, WorkbenchError } from '../base/errors.ts';
import { int64, tensor, type Tensor } from '../base/tensor.ts';
import { GraphBuilder, type Value } from '../autodiff/builder.ts';
import type { Graph, GraphNode, ValueInfo } from '../onnx/graph.ts';
import type { ValueType } from '../onnx/infer.ts';
import { compile, type Device, type SessionOptions, type Tensors } from './session.ts';

/** Types of the values of an optimisation loop. Names are free; each of the three groups has its own name space. */
export interface LoopTypes {
  /** Carried from step to step: parameters, optimiser moments, pixels. */
  readonly state: Readonly<Record<string, ValueType>>;
  /** New at each step; fed for a chunk of K steps with a leading dimension K. */
  readonly steps: Readonly<Record<string, ValueType>>;
  /** Fed once per chunk, the same at each step. */
  readonly shared: Readonly<Record<string, ValueType>>;
}

export interface LoopValues {
  readonly state: Readonly<Record<string, Value>>;
  readonly steps: Readonly<Record<string, Value>>;
  readonly shared: Readonly<Record<string, Value>>;
}

/**
 * One step: the next state (every name of `types.state`) and what to record, stacked over the steps of a chunk. Where
 * `goesOn` (bool, a scalar) is false the chunk ends after this step, before its count.
 */
export type LoopBody = (
  g: GraphBuilder,
  values: LoopValues,
) => {
  readonly state: Readonly<Record<string, Value>>;
  readonly trace: Readonly<Record<string, Value>>;
  readonly goesOn?: Value;
};

export interface LoopFeeds {
  readonly count: number;
  readonly state: Tensors;
  readonly steps: Tensors;
  readonly shared: Tensors;
}

export interface LoopResult {
  readonly state: Record<string, Tensor>;
  /** [steps that were taken, …] each. */
  readonly trace: Record<string, Tensor>;
}

export interface CompiledLoop {
  run(feeds: LoopFeeds): Promise<LoopResult>;
  close(): Promise<void>;
}

/**
 * An ONNX model of K steps as one Loop, K an input, so that nothing but the chunk's data crosses to the device. Results
 * do not depend on how the steps are cut into chunks. Constants used by `body` live in the body: onnxruntime lays out
 * only those for its fast convolutions.
 */
function loopGraph(name: string, types: LoopTypes, body: LoopBody, device: Device = 'cpu'): Graph {
  const b = new GraphBuilder('b_', device === 'cpu' ? 'cpu' : 'gpu');
  const iteration = b.input('iteration', 'int64', []);
  const condition = b.input('condition', 'bool', []);
  const state = mapRecord(types.state, (type, key) => b.input(`in_${key}`, type.dtype, type.shape));
  const steps = mapRecord(types.steps, (type, key) => {
    const chunk = b.outer(`steps_${key}`, type.dtype, [1, ...type.shape]);
    const [value] = b.op('Gather', [chunk, iteration], { axis: { type: 'int', value: 0 } }, { types: [type] });
    invariant(value, 'Gather has an output');
    return value;
  });
  const shared = mapRecord(types.shared, (type, key) => b.outer(`shared_${key}`, type.dtype, type.shape));
  const result = body(b, { state, steps, shared });
  b.output('go_on', result.goesOn ?? condition);
  const stateNames = Object.keys(types.state);
  for (const key of stateNames) {
    const value = result.state[key];
    invariant(value, `loop ${name} returns state "${key}"`);
    refuseOtherType(name, key, types.state[key], value);
    b.output(`out_${key}`, value);
  }
  const traceNames = Object.keys(result.trace);
  for (const key of traceNames) b.output(`trace_${key}`, result.trace[key]!);
  const loop: GraphNode = {
    name: 'loop',
    domain: '',
    op: 'Loop',
    inputs: ['count', '', ...stateNames.map((key) => `state_${key}`)],
    outputs: [...stateNames.map((key) => `next_${key}`), ...traceNames.map((key) => `traces_${key}`)],
    attributes: { body: { type: 'graph', value: b.build(`${name}_step`) } },
  };
  const info = (valueName: string, type: ValueType, lead: readonly string[] = []): ValueInfo => ({
    name: valueName,
    dtype: type.dtype,
    shape: [...lead, ...type.shape],
  });
  return {
    name,
    inputs: [
      { name: 'count', dtype: 'int64', shape: [] },
      ...stateNames.map((key) => info(`state_${key}`, types.state[key]!)),
      ...Object.entries(types.steps).map(([key, type]) => info(`steps_${key}`, type, ['steps'])),
      ...Object.entries(types.shared).map(([key, type]) => info(`shared_${key}`, type)),
    ],
    outputs: [
      ...stateNames.map((key) => info(`next_${key}`, types.state[key]!)),
      ...traceNames.map((key) => info(`traces_${key}`, result.trace[key]!, [result.goesOn ? 'taken' : 'steps'])),
    ],
    initializers: new Map(),
    nodes: [loop],
    valueInfo: new Map(),
  };
}

export async function compileLoop(
  name: string,
  types: LoopTypes,
  body: LoopBody,
  options: SessionOptions,
): Promise<CompiledLoop> {
  const graph = loopGraph(name, types, body, options.device);
  const session = await compile(graph, options);
  const accepted = new Set(session.inputNames);
  return {
    async run({ count, state, steps, shared }) {
      const feeds: Record<string, Tensor> = { count: int64([], [count]) };
      const feed = (key: string, value: Tensor | undefined, type: ValueType, lead: readonly number[]): void => {
        const expected = [...lead, ...type.shape];
        if (value?.dtype !== type.dtype || value.dims.join() !== expected.join()) {
          throw new WorkbenchError(
            'SHAPE_MISMATCH',
            `Loop ${name}: expected ${key} to be ${type.dtype}[${expected.join(', ')}], got ${value ? `${value.dtype}[${value.dims.join(', ')}]` : 'nothing'}`,
          );
        }
        // onnxruntime drops inputs that the body does not read.
        if (accepted.has(key)) feeds[key] = value;
      };
      for (const [key, type] of Object.entries(types.state)) feed(`state_${key}`, state[key], type, []);
      for (const [key, type] of Object.entries(types.steps)) feed(`steps_${key}`, steps[key], type, [count]);
      for (const [key, type] of Object.entries(types.shared)) feed(`shared_${key}`, shared[key], type, []);
      const results = await session.run(feeds);
      const pick = (prefix: string): Record<string, Tensor> =>
        Object.fromEntries(
          Object.entries(results)
            .filter(([key]) => key.startsWith(prefix))
            .map(([key, value]) => [key.slice(prefix.length), value]),
        );
      return { state: pick('next_'), trace: pick('traces_') };
    },
    close: () => session.close(),
  };
}

/** Stacks K equal-shaped per-step rows, written by `fill`, into the [K, …] tensor that a chunk is fed with. */
export function stackSteps(
  count: number,
  shape: readonly number[],
  fill: (step: number, row: Float32Array) => void,
): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const data = new Float32Array(count * size);
  for (let k = 0; k < count; k++) fill(k, data.subarray(k * size, (k + 1) * size));
  return tensor('float32', [count, ...shape], data);
}

function mapRecord<A, B>(record: Readonly<Record<string, A>>, map: (value: A, key: string) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]));
}

function refuseOtherType(loop: string, key: string, expected: ValueType | undefined, value: Value): void {
  invariant(
    expected && expected.dtype === value.dtype && expected.shape.join() === value.shape.join(),
    `loop ${loop}: state "${key}" should stay ${expected?.dtype}[${expected?.shape.join(', ')}], got ${value.dtype}[${value.shape.join(', ')}]`,
  );
}
