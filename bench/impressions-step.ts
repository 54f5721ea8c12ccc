import { float32 } from '../core/base/tensor.ts';
import { openSynthesis, type SynthesisOptions, type SynthesisTeacher } from '../core/methods/data-impressions/synthesis.ts';
import { architectures } from '../core/train/zoo/architectures.ts';

/** Seconds per synthesis step of LeNet-5 (28 × 28), Adam on the pixels of a batch: median and least of `repeats`. */
export async function timeImpressionsStep(
  batchSize: number,
  steps: number,
  repeats: number,
  threads: number,
  views: boolean,
): Promise<{ median: number; min: number }> {
  const lenet5 = architectures['lenet5'];
  if (!lenet5) throw new Error('The zoo has no lenet5');
  const model = lenet5.build({ channels: 1, height: 28, width: 28, classes: 10, seed: 0 });
  const teacher: SynthesisTeacher = {
    graph: model.graph,
    inputName: 'input',
    logitsName: 'logits',
    shape: [1, 28, 28],
    classes: 10,
    bounds: [0, 1],
    batchNorms: [],
  };
  const options: SynthesisOptions = {
    batchSize,
    steps,
    learningRate: 0.05,
    schedule: 'constant',
    temperature: 20,
    pixels: 'clamp',
    initial: 'uniform',
    initialScale: 1,
    totalVariation: views ? 0.005 : 0,
    sparsity: views ? 0.003 : 0,
    batchNormPrior: 0,
    view: { rotationDegrees: views ? 17 : 0, scaleMin: views ? 0.85 : 1, scaleMax: views ? 1.15 : 1, translatePixels: views ? 2 : 0 },
    seed: 0,
  };
  const synthesis = await openSynthesis(teacher, options, { device: 'cpu', threads });
  const targets = float32([batchSize, 10], new Float32Array(batchSize * 10).fill(0.1));
  const run = async (): Promise<number> => {
    const state = synthesis.start(0);
    const startedAt = performance.now();
    await synthesis.advance(0, state, 0, steps, targets);
    return (performance.now() - startedAt) / 1000 / steps;
  };
  await run();
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) times.push(await run());
  await synthesis.close();
  times.sort((a, b) => a - b);
  return { median: times[Math.floor(times.length / 2)] ?? Number.NaN, min: times[0] ?? Number.NaN };
}
