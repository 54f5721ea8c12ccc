import { invariant, WorkbenchError } from '../base/errors.ts';
import { float32, floatsOf } from '../base/tensor.ts';
import { GraphBuilder, type Value } from '../autodiff/builder.ts';
import { inlineGraph } from '../autodiff/inline.ts';
import type { Graph } from '../onnx/graph.ts';
import { compile, type SessionOptions } from '../runtime/session.ts';
import { multiplyAdds } from './cost.ts';

/** Images [C, H, W] that can be read by number: every `ImageSet` is one. */
export interface ImageSource {
  readonly count: number;
  readonly shape: readonly [number, number, number];
  read(indices: ArrayLike<number>, out: Float32Array): Promise<void>;
}

/** Images [N, C, H, W] in memory as a source; not copied. */
export function arraySource(images: Float32Array, shape: readonly [number, number, number]): ImageSource {
  const size = shape[0] * shape[1] * shape[2];
  return {
    count: images.length / size,
    shape,
    async read(indices, out) {
      Array.from(indices).forEach((index, i) => out.set(images.subarray(index * size, (index + 1) * size), i * size));
    },
  };
}

export interface PredictorOptions {
  /** House-opset graph with one image input [N, C, H, W]. */
  readonly graph: Graph;
  /** [C, H, W]. */
  readonly shape: readonly [number, number, number];
  /** Default: the first output; it must be [N, K]. */
  readonly outputName?: string;
  /** Emits the model's input from images as the source holds them (normalisation). */
  readonly prepare?: (g: GraphBuilder, images: Value) => Value;
  /** Default: as many as take about a quarter of a second, at most 256. */
  readonly batchSize?: number;
  readonly session: SessionOptions;
}

export interface PredictOptions {
  /** Looked at before each batch; an abort rejects with CANCELLED. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (done: number, total: number) => void;
}

/** A model compiled for batches of one size. */
export interface Predictor {
  readonly batchSize: number;
  /** K. */
  readonly classes: number;
  /** Logits [N, K], row-major, of all images of the source. */
  predict(source: ImageSource, options?: PredictOptions): Promise<Float32Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Multiply-adds of a batch: a quarter of a second at 20 a nanosecond. */
const batchCost = 5e9;

export async function createPredictor(options: PredictorOptions): Promise<Predictor> {
  const { graph, shape, prepare = (_, images) => images } = options;
  const input = graph.inputs[0];
  invariant(input && graph.inputs.length === 1, `graph ${graph.name} has one input`);
  const batchSize = options.batchSize ?? affordableBatch(multiplyAdds(graph, [1, ...shape]));
  const g = new GraphBuilder();
  const images = g.input('images', 'float32', [batchSize, ...shape]);
  const { outputs } = inlineGraph(g, graph, { inputs: { [input.name]: prepare(g, images) } });
  const logits = outputs[options.outputName ?? graph.outputs[0]?.name ?? ''];
  invariant(logits, `graph ${graph.name} has the output asked for`);
  if (logits.shape.length !== 2 || logits.shape[0] !== batchSize) {
    throw new WorkbenchError(
      'MODEL_UNSUITABLE',
      `Model ${graph.name}: expected logits of shape [${batchSize}, classes] for ${batchSize} images, got [${logits.shape.join(', ')}]`,
    );
  }
  const classes = logits.shape[1] ?? 0;
  g.output('logits', logits);
  const session = await compile(g.build(graph.name), options.session);
  return {
    batchSize,
    classes,
    async predict(source, { signal, onProgress } = {}) {
      if (source.shape.join() !== shape.join()) {
        throw new WorkbenchError(
          'SHAPE_MISMATCH',
          `Model ${graph.name} expects images of ${shape.join(' × ')}, got ${source.shape.join(' × ')}`,
        );
      }
      const result = new Float32Array(source.count * classes);
      const size = shape[0] * shape[1] * shape[2];
      for (let start = 0; start < source.count; start += batchSize) {
        if (signal?.aborted) throw new WorkbenchError('CANCELLED', `Evaluation of ${graph.name} was cancelled`);
        const taken = Math.min(batchSize, source.count - start);
        // The last batch is filled up with zeros, whose rows are dropped.
        const batch = new Float32Array(batchSize * size);
        const indices = Int32Array.from({ length: taken }, (_, i) => start + i);
        await source.read(indices, batch.subarray(0, taken * size));
        const { logits: rows } = await session.run({ images: float32([batchSize, ...shape], batch) });
        invariant(rows, 'the session returns logits');
        result.set(floatsOf(rows, 'logits').subarray(0, taken * classes), start * classes);
        onProgress?.(start + taken, source.count);
      }
      return result;
    },
    close: () => session.close(),
  };
}

function affordableBatch(costOfOne: number): number {
  const most = Math.max(1, Math.min(256, batchCost / Math.max(costOfOne, 1)));
  return 2 ** Math.floor(Math.log2(most));
}
