import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { float32 } from '../core/base/tensor.ts';
import { openSynthesis, type SynthesisOptions } from '../core/train/impressions/synthesis.ts';
import { buildArchitecture } from '../core/train/zoo/architectures.ts';
import { summarise, TorchTimes, type StepTime } from './step-time.ts';

/** One synthesis step of LeNet-5 (28 × 28): gradient on the pixels of a batch, Adam, clamp; with priors and views or not. */
export interface ImpressionsScenario {
  readonly batch: number;
  readonly threads: number;
  readonly hasViews: boolean;
  /** Steps a measurement. */
  readonly steps: number;
  /** Our time may be at most PyTorch's divided by this; undefined where the issue names none. */
  readonly bar: number | undefined;
}

export const impressionsScenarios: readonly ImpressionsScenario[] = [
  { batch: 200, threads: 1, hasViews: false, steps: 20, bar: 1.5 },
  { batch: 200, threads: 1, hasViews: true, steps: 20, bar: undefined },
];

export interface Timing {
  readonly ours: StepTime;
  /** undefined when no Python with torch was named. */
  readonly torch: StepTime | undefined;
}

/** Measures ours and PyTorch's in turn, `rounds` times, so that both see the same machine. */
export async function measureImpressionsStep(
  scenario: ImpressionsScenario,
  { python, rounds }: { readonly python: string | undefined; readonly rounds: number },
): Promise<Timing> {
  const { run, close } = await open(scenario);
  await run();
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < rounds; round++) {
    for (let repeat = 0; repeat < 3; repeat++) ours.push(await run());
    if (python !== undefined) theirs.push(...runPython(python, scenario));
  }
  await close();
  return { ours: summarise(ours), torch: python === undefined ? undefined : summarise(theirs) };
}

async function open({ batch, threads, hasViews, steps }: ImpressionsScenario): Promise<{
  run: () => Promise<number>;
  close: () => Promise<void>;
}> {
  const { graph } = buildArchitecture('lenet5', { channels: 1, height: 28, width: 28, classes: 10, seed: 0 });
  const options: SynthesisOptions = {
    batchSize: batch,
    steps,
    learningRate: 0.05,
    schedule: 'constant',
    temperature: 20,
    pixels: 'clamp',
    initial: 'uniform',
    initialScale: 1,
    totalVariation: hasViews ? 0.005 : 0,
    sparsity: hasViews ? 0.003 : 0,
    batchNormPrior: 0,
    view: hasViews
      ? { rotationDegrees: 17, scaleMin: 0.85, scaleMax: 1.15, translatePixels: 2 }
      : { rotationDegrees: 0, scaleMin: 1, scaleMax: 1, translatePixels: 0 },
    warmStart: false,
    seed: 0,
  };
  const teacher = { graph, inputName: 'input', logitsName: 'logits', shape: [1, 28, 28], classes: 10 } as const;
  const synthesis = await openSynthesis({ ...teacher, bounds: [0, 1], batchNorms: [] }, options, {
    device: 'cpu',
    threads,
  });
  const targets = float32([batch, 10], new Float32Array(batch * 10).fill(0.1));
  return {
    async run() {
      const state = synthesis.start(0);
      const startedAt = performance.now();
      await synthesis.advance({ batch: 0, state, from: 0, count: steps, targets });
      return (performance.now() - startedAt) / steps;
    },
    close: () => synthesis.close(),
  };
}

/** Milliseconds a step, one number a repeat. */
function runPython(python: string, { batch, steps, threads, hasViews }: ImpressionsScenario): number[] {
  const script = fileURLToPath(new URL('reference/impressions_step.py', import.meta.url));
  const repeats = 3;
  const args = [script, batch, steps, repeats, threads, Number(hasViews)].map(String);
  return TorchTimes.parse(JSON.parse(execFileSync(python, args, { encoding: 'utf8' }))).milliseconds;
}
