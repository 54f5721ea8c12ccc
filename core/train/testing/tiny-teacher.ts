import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { float32, int64, sizeOf } from '../../base/tensor.ts';
import { invariant } from '../../base/errors.ts';
import { createBatchOrder } from '../../data/batches.ts';
import { tinyShapes } from '../../data/synthetic.ts';
import type { OnnxModel } from '../../onnx/graph.ts';
import { writeModel } from '../../onnx/write.ts';
import { crossEntropy } from '../losses.ts';
import { openModelFile, type OpenedModel } from '../models.ts';
import { createOptimiser } from '../optimisers.ts';
import { withParameters } from '../parameters.ts';
import { constantSchedule } from '../schedules.ts';
import { createTrainingLoop } from '../training-loop.ts';
import { Network } from '../zoo/network.ts';

/** Images of the tiny problem that tests distil from, [C, H, W]; four classes of `tinyShapes`. */
export const tinyShape = [1, 10, 10] as const;
export const tinyClasses = 4;

/** One hidden layer; `hasNorm` puts a convolution with batch norm before it. */
export function tinyNet({ hasNorm = false, hidden = 32, seed = 1, classes = tinyClasses } = {}): OnnxModel {
  const [channels, height, width] = tinyShape;
  const net = new Network('tiny', { channels, height, width, classes, seed });
  const x = hasNorm ? net.relu(net.batchNorm('bn', net.conv('conv', net.input, 4, 3, { pad: 1 }))) : net.input;
  return net.finish(net.linear('fc2', net.relu(net.linear('fc1', net.flatten(x), hidden)), classes));
}

/** `model` after `steps` of Adam on tiny shapes of seed 1: about a second, nearly perfect on others of their kind. */
export async function trainedOnShapes(model: OnnxModel, steps = 150, classes = tinyClasses): Promise<OnnxModel> {
  const { images, labels } = tinyShapes(1, 400, tinyShape, classes);
  const [batchSize, size] = [50, sizeOf(tinyShape)];
  const order = createBatchOrder(1, 'tiny', labels.length, batchSize);
  const loop = await createTrainingLoop({
    graph: model.graph,
    steps: {
      images: { dtype: 'float32', shape: [batchSize, ...tinyShape] },
      labels: { dtype: 'int64', shape: [batchSize] },
    },
    input: (_, { steps: feeds }) => required(feeds['images']),
    loss: (g, { logits, steps: feeds }) => ({ loss: crossEntropy(g, logits, required(feeds['labels'])) }),
    optimiser: createOptimiser('adam'),
    schedule: constantSchedule(0.01),
    seed: 1,
    session: { device: 'cpu', threads: 1 },
  });
  const fed = new Float32Array(steps * batchSize * size);
  const wanted: number[] = [];
  for (let step = 0; step < steps; step++) {
    for (const index of order.at(step)) {
      fed.set(images.subarray(index * size, (index + 1) * size), wanted.length * size);
      wanted.push(labels[index] ?? 0);
    }
  }
  await loop.run(steps, {
    steps: { images: float32([steps, batchSize, ...tinyShape], fed), labels: int64([steps, batchSize], wanted) },
  });
  const parameters = loop.parameters();
  await loop.close();
  return withParameters(model, parameters);
}

/** Writes a model file and gives its path. */
export function storeModel(dir: string, name: string, model: OnnxModel): string {
  const path = join(dir, name);
  writeFileSync(path, writeModel(model));
  return path;
}

/** The model as a run opens it, by way of a file. */
export async function opened(model: OnnxModel): Promise<OpenedModel> {
  const dir = mkdtempSync(join(tmpdir(), 'palimpsest-tiny-'));
  try {
    return await openModelFile(storeModel(dir, `${model.graph.name}.onnx`, model));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function required<T>(value: T | undefined): T {
  invariant(value !== undefined, 'the step is fed with what it reads');
  return value;
}
