import { toWorkbenchError, WorkbenchError, type ErrorShape } from '../base/errors.ts';
import { sizeOf, type Tensor, zeros } from '../base/tensor.ts';
import { cutAtLogits } from '../onnx/classifier.ts';
import type { Graph, OnnxModel, ValueInfo } from '../onnx/graph.ts';
import { normalise } from '../onnx/normalise.ts';
import { readModel, readModelFile } from '../onnx/read.ts';
import { compile } from './session.ts';

/** What a loading process is asked; one at a time. */
export type LoadRequest = { readonly path: string } | { readonly bytes: Uint8Array };

/** What came of a model that was read, checked, loaded by onnxruntime and, where that is cheap, run once. */
export interface LoadReport {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** False when the whole graph was loaded, because it is no image classifier. */
  readonly isClassifier: boolean;
  /** Why it was not run on an image of zeros; undefined when it was. */
  readonly notRun: string | undefined;
  /** Part of the model stands in other files, so that the hash of this one does not tell all. */
  readonly hasExternalData: boolean;
}

export type LoadAnswer =
  { readonly ok: true; readonly report: LoadReport } | { readonly ok: false; readonly error: ErrorShape };

/** Inputs beyond this size are not made up. */
const inputLimit = 2 ** 24;

async function load(request: LoadRequest): Promise<LoadReport> {
  const { model, hasExternalData } =
    'path' in request ? readModelFile(request.path) : { model: readModel(request.bytes), hasExternalData: false };
  const { graph, isClassifier } = graphOf(model);
  const session = await compile(graph, { device: 'cpu', threads: 1 });
  let notRun: string | undefined;
  try {
    const feeds = feedsOf(graph);
    if (feeds === undefined) notRun = 'its inputs are too large or of unknown shape';
    else await session.run(feeds);
  } catch (thrown) {
    notRun = toWorkbenchError(thrown).message;
  } finally {
    await session.close();
  }
  return { inputs: graph.inputs, outputs: graph.outputs, isClassifier, notRun, hasExternalData };
}

/** What a method would load: the graph from image to logits, or else all of it. */
function graphOf(model: OnnxModel): { readonly graph: Graph; readonly isClassifier: boolean } {
  try {
    return { graph: cutAtLogits(model), isClassifier: true };
  } catch (thrown) {
    if (!(thrown instanceof WorkbenchError) || thrown.code === 'INTERNAL') throw thrown;
    return { graph: normalise(model).graph, isClassifier: false };
  }
}

/** Zeros for every input, free dimensions 1. */
function feedsOf({ inputs }: Graph): Record<string, Tensor> | undefined {
  const feeds: Record<string, Tensor> = {};
  for (const { name, dtype, shape } of inputs) {
    if (shape === undefined || dtype === 'float16') return undefined;
    const dims = shape.map((dim) => (typeof dim === 'number' ? dim : 1));
    if (sizeOf(dims) > inputLimit) return undefined;
    feeds[name] = zeros(dims, dtype);
  }
  return feeds;
}

const answer = (message: LoadAnswer): void => void process.send?.(message);

process.on('message', (request: LoadRequest) => {
  load(request).then(
    (report) => answer({ ok: true, report }),
    (thrown: unknown) => answer({ ok: false, error: toWorkbenchError(thrown).toShape() }),
  );
});
// Whoever asked is gone.
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole process group; whoever asked decides when this process ends.
process.on('SIGINT', () => undefined);
