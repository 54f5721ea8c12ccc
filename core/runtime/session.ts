import * as ort from 'onnxruntime-node';
import { toWorkbenchError, WorkbenchError } from '../base/errors.ts';
import type { DType, Tensor, TensorData } from '../base/tensor.ts';
import type { Graph } from '../onnx/graph.ts';
import { spellQuantisation } from '../onnx/spell-quantisation.ts';
import { houseModel, type SplitModel, splitModel, writeModel } from '../onnx/write.ts';
import { nodesUnknownToWebGpu } from './webgpu.ts';

// What goes wrong comes as an exception; onnxruntime would say it a second time, past our own messages.
ort.env.logLevel = 'fatal';

/** A device that was really opened; 'auto' is resolved before. */
export type Device = 'cpu' | 'cuda' | 'webgpu';

export interface SessionOptions {
  readonly device: Device;
  /** Threads inside one operator. On CPU the bits of a result may depend on it. */
  readonly threads: number;
  /** 'all' unless a test needs the graph as it was written. */
  readonly optimization?: 'all' | 'basic' | 'disabled';
  /** Run in this process of its own instead of here. */
  readonly lane?: Lane;
  /** Names of nodes that stay on the CPU whatever the device. */
  readonly onCpu?: readonly string[];
}

/** A process that runs sessions for us; see lanes.ts. */
export interface Lane {
  open(bytes: Uint8Array, options: SessionOptions, title: string): Promise<Session>;
  close(): Promise<void>;
}

export type Tensors = Readonly<Record<string, Tensor>>;

/** A graph that onnxruntime has loaded. Runs block the event loop: keep each below about half a second. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Tensors): Promise<Record<string, Tensor>>;
  close(): Promise<void>;
}

/** Weights from this size on are handed to onnxruntime as they are, in models that have so much of them altogether. */
const largeWeightBytes = 2 ** 20;
const largeModelBytes = 2 ** 26;

/** Loads a graph of the house opset. */
export async function compile(graph: Graph, options: SessionOptions): Promise<Session> {
  const onCpu = options.device === 'webgpu' ? nodesUnknownToWebGpu(graph) : [];
  const all = onCpu.length > 0 ? { ...options, onCpu } : options;
  const model = houseModel(spellQuantisation(graph));
  const weightBytes = [...graph.initializers.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  if (all.lane || weightBytes < largeModelBytes) return openSession(writeModel(model), all, graph.name);
  const { bytes, weights } = splitModel(model, largeWeightBytes);
  return sessionOf(await create(bytes, all, graph.name, weights), graph.name);
}

/** Loads the bytes of a model that has passed our own checks. `title` names it in errors. */
export async function openSession(bytes: Uint8Array, options: SessionOptions, title: string): Promise<Session> {
  if (options.lane) return options.lane.open(bytes, options, title);
  return sessionOf(await create(bytes, options, title), title);
}

function sessionOf(session: ort.InferenceSession, title: string): Session {
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(feeds) {
      const inputs: Record<string, ort.Tensor> = {};
      for (const [name, value] of Object.entries(feeds)) inputs[name] = toOrt(title, name, value);
      try {
        const results = await session.run(inputs);
        return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, fromOrt(name, value)]));
      } catch (thrown) {
        throw new WorkbenchError(
          'INTERNAL',
          `onnxruntime could not run ${title}: ${toWorkbenchError(thrown).message}`,
          { cause: thrown },
        );
      }
    },
    close: () => session.release(),
  };
}

async function create(
  bytes: Uint8Array,
  options: SessionOptions,
  title: string,
  weights: SplitModel['weights'] = [],
): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: options.device === 'cpu' ? ['cpu'] : [provider(options), 'cpu'],
      intraOpNumThreads: options.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // A plan of the memory is made beside what the first run took: that one stays.
      enableMemPattern: false,
      graphOptimizationLevel: options.optimization ?? 'all',
      logSeverityLevel: 3,
      ...(weights.length === 0
        ? {}
        : { externalData: weights.map(({ location, data }) => ({ path: location, data })) }),
      extra: {
        session: {
          // Values below 1e-38 carry nothing here, and arithmetic on them is a hundred times slower.
          set_denormal_as_zero: '1',
          // Waiting threads spin between two operators, not through a long one: on a busy machine they would use up
          // the processor time that their own next piece of work needs (a third of a ResNet-18 training step).
          intra_op: { spin_duration_us: '50' },
        },
      },
    });
  } catch (thrown) {
    throw new WorkbenchError(
      'MODEL_UNREADABLE',
      `onnxruntime could not load ${title}: ${toWorkbenchError(thrown).message}`,
      {
        hint: 'The model passed our own checks but not those of onnxruntime on this device. Try --device cpu.',
        cause: thrown,
      },
    );
  }
}

const provider = ({ device, onCpu }: SessionOptions): ort.InferenceSession.ExecutionProviderConfig =>
  device === 'webgpu' && onCpu ? { name: 'webgpu', forceCpuNodeNames: onCpu } : device;

const ortTypes: Readonly<Record<DType, ort.Tensor.Type>> = {
  float32: 'float32',
  float64: 'float64',
  float16: 'float16',
  int8: 'int8',
  int16: 'int16',
  int32: 'int32',
  int64: 'int64',
  uint8: 'uint8',
  uint16: 'uint16',
  uint32: 'uint32',
  uint64: 'uint64',
  bool: 'bool',
};

function toOrt(title: string, name: string, value: Tensor): ort.Tensor {
  if (value.dtype === 'float16') {
    throw new WorkbenchError(
      'OP_UNSUPPORTED',
      `Input ${name} of ${title} is float16, which onnxruntime-node cannot be fed with from this Node`,
      { hint: 'Give it as float32 and cast inside the graph.' },
    );
  }
  return new ort.Tensor(ortTypes[value.dtype], value.data as ort.Tensor.DataType, value.dims);
}

function fromOrt(name: string, value: ort.Tensor): Tensor {
  const dtype = (Object.keys(ortTypes) as DType[]).find((key) => ortTypes[key] === value.type);
  if (!dtype)
    throw new WorkbenchError(
      'OP_UNSUPPORTED',
      `Output ${name} has type ${value.type}, which the workbench does not read`,
    );
  const raw: unknown = value.data;
  // A half-precision result may come as a Float16Array; we keep its bits.
  const data =
    dtype === 'float16' && ArrayBuffer.isView(raw)
      ? new Uint16Array(raw.buffer as ArrayBuffer, raw.byteOffset, raw.byteLength / 2)
      : raw;
  return { dtype, dims: value.dims, data: data as TensorData };
}
