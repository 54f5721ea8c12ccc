import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fillUniform, stream } from '../core/base/rng.ts';
import { float32, int64, sizeOf } from '../core/base/tensor.ts';
import { crossEntropy } from '../core/train/losses.ts';
import { createOptimiser } from '../core/train/optimisers.ts';
import { constantSchedule } from '../core/train/schedules.ts';
import type { Value } from '../core/autodiff/builder.ts';
import { summarise, TorchTimes, type StepTime } from './step-time.ts';
import { createTrainingLoop, type TrainingLoop } from '../core/train/training-loop.ts';
import { buildArchitecture } from '../core/train/zoo/architectures.ts';

/** One training step (forward, backward, Adam) of a zoo architecture with cross-entropy on hard labels. */
export interface TrainingScenario {
  readonly architecture: string;
  readonly shape: readonly [number, number, number];
  readonly batch: number;
  readonly threads: number;
  /** Steps a chunk, and a PyTorch run. */
  readonly steps: number;
  /** Our time may be at most PyTorch's divided by this. */
  readonly bar: number;
}

export const trainingScenarios: readonly TrainingScenario[] = [
  { architecture: 'lenet5', shape: [1, 28, 28], batch: 64, threads: 1, steps: 40, bar: 1.4 },
  { architecture: 'lenet5', shape: [1, 28, 28], batch: 256, threads: 1, steps: 12, bar: 1.4 },
  { architecture: 'resnet18', shape: [3, 32, 32], batch: 32, threads: 2, steps: 3, bar: 1 },
];

export interface TrainingTiming {
  readonly scenario: TrainingScenario;
  readonly ours: StepTime;
  /** undefined when no Python with torch was named. */
  readonly torch: (StepTime & { readonly version: string }) | undefined;
}

/** Measures ours and PyTorch's in turn, `rounds` times, so that both see the same machine. */
export async function measureTrainingStep(
  scenario: TrainingScenario,
  { python, rounds = 4 }: { readonly python: string | undefined; readonly rounds?: number },
): Promise<TrainingTiming> {
  const { loop, run } = await open(scenario);
  await run();
  const ours: number[] = [];
  const theirs: number[] = [];
  let version = '';
  for (let round = 0; round < rounds; round++) {
    for (let chunk = 0; chunk < 3; chunk++) ours.push(await run());
    if (python === undefined) continue;
    const result = runPython(python, scenario);
    theirs.push(...result.milliseconds);
    version = result.torch;
  }
  await loop.close();
  return {
    scenario,
    ours: summarise(ours),
    torch: python === undefined ? undefined : { ...summarise(theirs), version },
  };
}

async function open({ architecture, shape, batch, threads, steps }: TrainingScenario): Promise<{
  loop: TrainingLoop;
  run: () => Promise<number>;
}> {
  const [channels, height, width] = shape;
  const model = buildArchitecture(architecture, { channels, height, width, classes: 10, seed: 0 });
  const count = 1024;
  const images = new Float32Array(count * sizeOf(shape));
  fillUniform(stream(0, 'bench'), images);
  const loop = await createTrainingLoop({
    graph: model.graph,
    steps: { indices: { dtype: 'int64', shape: [batch] }, labels: { dtype: 'int64', shape: [batch] } },
    shared: { images: { dtype: 'float32', shape: [count, ...shape] } },
    input: (g, { steps: { indices }, shared: { images: all } }) => g.gather(named(all), named(indices), 0),
    loss: (g, { logits, steps: { labels } }) => ({ loss: crossEntropy(g, logits, named(labels)) }),
    optimiser: createOptimiser('adam'),
    schedule: constantSchedule(1e-3),
    seed: 0,
    session: { device: 'cpu', threads },
  });
  const rng = stream(0, 'order');
  const numbers = (limit: number) =>
    int64(
      [steps, batch],
      Array.from({ length: steps * batch }, () => rng.int(limit)),
    );
  const feeds = {
    steps: { indices: numbers(count), labels: numbers(10) },
    shared: { images: float32([count, ...shape], images) },
  };
  return {
    loop,
    async run() {
      const start = performance.now();
      await loop.run(steps, feeds);
      return (performance.now() - start) / steps;
    },
  };
}

function named(value: Value | undefined): Value {
  if (value) return value;
  throw new Error('The loop lost one of its inputs');
}

function runPython(python: string, { architecture, batch, threads, steps }: TrainingScenario) {
  const script = fileURLToPath(new URL('reference/training_step.py', import.meta.url));
  const text = execFileSync(python, [script, architecture, batch, threads, steps].map(String), { encoding: 'utf8' });
  return TorchTimes.parse(JSON.parse(text));
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { python: { type: 'string' }, only: { type: 'string' }, rounds: { type: 'string', default: '4' } },
  });
  for (const scenario of trainingScenarios) {
    const { architecture, batch, threads, bar } = scenario;
    if (values.only !== undefined && !`${architecture}-${batch}`.startsWith(values.only)) continue;
    const { ours, torch } = await measureTrainingStep(scenario, {
      python: values.python,
      rounds: Number(values.rounds),
    });
    const side = ({ bestMs, medianMs }: StepTime) => `best ${bestMs.toFixed(2)} median ${medianMs.toFixed(2)} ms`;
    const ratio =
      torch &&
      `ratio ${(torch.bestMs / ours.bestMs).toFixed(2)} / ${(torch.medianMs / ours.medianMs).toFixed(2)}, bar ${bar}`;
    console.log(
      `${architecture} batch ${batch}, ${threads} thread(s): ours ${side(ours)}`,
      torch ? `; torch ${torch.version} ${side(torch)}; ${ratio}` : '',
    );
  }
}
