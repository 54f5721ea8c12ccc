import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { float32, int64, type Tensor } from '../core/base/tensor.ts';
import { gradientModel } from '../core/inspect/gradient-model.ts';
import { loadModel } from '../core/onnx/read.ts';
import { writeModel } from '../core/onnx/write.ts';
import { openSession } from '../core/runtime/session.ts';
import { summarise, type StepTime } from './step-time.ts';

/** Loss and its gradient by the images (`dx`) or by all parameters (`dw`) of a network that PyTorch exported. */
const Scenario = z.object({
  /** As reference/gradient_step.py knows it. */
  network: z.string(),
  batch: z.int(),
  /** Of the images, which are square. */
  size: z.int(),
  classes: z.int(),
  kind: z.enum(['dx', 'dw']),
  threads: z.int(),
});
export type GradientScenario = z.infer<typeof Scenario>;

const networks = [
  { network: 'resnet18-cifar', batch: 32, size: 32, classes: 10 },
  { network: 'resnet18', batch: 4, size: 224, classes: 1000 },
  { network: 'vgg11-cifar', batch: 32, size: 32, classes: 10 },
  { network: 'mobilenetv2', batch: 4, size: 224, classes: 1000 },
  { network: 'densenet121', batch: 4, size: 224, classes: 1000 },
  { network: 'vit-tiny', batch: 4, size: 224, classes: 1000 },
  { network: 'convnext-atto', batch: 4, size: 224, classes: 1000 },
] as const;

export const gradientScenarios: readonly GradientScenario[] = networks.flatMap((network) =>
  ([1, 2] as const).flatMap((threads) => (['dx', 'dw'] as const).map((kind) => ({ ...network, kind, threads }))),
);

/** The largest ratios of our time and memory to PyTorch's, and the largest geometric mean of those of time. */
export const gradientBars = { time: 1.5, memory: 1.5, mean: 1 } as const;

export interface GradientSide extends StepTime {
  /** Processor time of a step, the median. */
  readonly cpuMs: number;
  readonly peakBytes: number;
}

export interface GradientTiming {
  readonly ours: GradientSide;
  /** undefined when no Python with torch was named. */
  readonly torch: GradientSide | undefined;
}

/** One answer of a measuring process: some steps. */
const Answer = z.object({
  milliseconds: z.array(z.number()),
  cpuMilliseconds: z.array(z.number()),
  loss: z.number(),
  squaredNorm: z.number(),
  peakBytes: z.number(),
});
type Answer = z.infer<typeof Answer>;

const reference = fileURLToPath(new URL('reference/gradient_step.py', import.meta.url));
const fileOf = ({ network, batch }: GradientScenario): string => `${network}-${batch}`;

/** Has PyTorch write the scenario's network into `folder`, if it is not there. */
export function exportNetwork(scenario: GradientScenario, python: string | undefined, folder: string): void {
  if (existsSync(join(folder, `${fileOf(scenario)}.onnx`))) return;
  if (python === undefined) throw new Error(`${fileOf(scenario)}.onnx is not in ${folder}, and no --python was given`);
  const { network, batch } = scenario;
  execFileSync(python, [reference, 'export', network, String(batch), folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

/**
 * Measures both sides in turn, each in a process of its own, so that both see the same machine. They must agree on the
 * loss to one part in ten thousand, on the square of the gradient's norm to one in a hundred: rounding moves values over
 * the kinks of Relu6, which changes gradients of untrained networks by some in a thousand.
 */
export async function measureGradientStep(
  scenario: GradientScenario,
  { python, rounds, folder }: { python: string | undefined; rounds: number; folder: string },
): Promise<GradientTiming> {
  const { network, batch, kind, threads } = scenario;
  const ours = ask(process.execPath, [fileURLToPath(import.meta.url), folder, JSON.stringify(scenario)]);
  const theirs =
    python === undefined
      ? undefined
      : ask(python, [reference, 'measure', network, String(batch), kind, String(threads)]);
  try {
    const sides = { ours: [] as Answer[], torch: [] as Answer[] };
    // The first step finds memory and caches empty.
    await ours.next(1);
    await theirs?.next(1);
    for (let round = 0; round < rounds; round++) {
      sides.ours.push(await ours.next(3));
      if (theirs) sides.torch.push(await theirs.next(3));
    }
    assertAgreement(scenario, sides.ours[0], sides.torch[0]);
    return { ours: sideOf(sides.ours), torch: theirs && sideOf(sides.torch) };
  } finally {
    ours.end();
    theirs?.end();
  }
}

function sideOf(answers: readonly Answer[]): GradientSide {
  return {
    ...summarise(answers.flatMap(({ milliseconds }) => milliseconds)),
    cpuMs: summarise(answers.flatMap(({ cpuMilliseconds }) => cpuMilliseconds)).medianMs,
    peakBytes: Math.max(...answers.map(({ peakBytes }) => peakBytes)),
  };
}

function assertAgreement(scenario: GradientScenario, ours: Answer | undefined, torch: Answer | undefined): void {
  if (!ours || !torch) return;
  const isClose = (a: number, b: number, tolerance: number) => Math.abs(a - b) <= tolerance * Math.abs(b);
  if (isClose(ours.loss, torch.loss, 1e-4) && isClose(ours.squaredNorm, torch.squaredNorm, 1e-2)) return;
  const told = ({ loss, squaredNorm }: Answer): string => `loss ${loss}, ‖gradient‖² ${squaredNorm}`;
  throw new Error(`${fileOf(scenario)} ${scenario.kind}: ours ${told(ours)}, PyTorch ${told(torch)}`);
}

/** A process that answers each line, a number of repeats, with a line of JSON. */
function ask(program: string, args: readonly string[]): { next(repeats: number): Promise<Answer>; end(): void } {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    async next(repeats) {
      child.stdin.write(`${repeats}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error(`${program} ${args.join(' ')} ended early`);
      return Answer.parse(JSON.parse(line.value));
    },
    end: () => child.stdin.end(),
  };
}

/** Our side of `ask`. */
async function serve(folder: string, scenario: GradientScenario): Promise<void> {
  const { batch, size, classes, threads } = scenario;
  const path = join(folder, fileOf(scenario));
  const feeds: Record<string, Tensor> = {
    images: float32([batch, 3, size, size], new Float32Array(readFileSync(`${path}.f32`).buffer)),
    labels: int64(
      [batch],
      Array.from({ length: batch }, (_, i) => i % classes),
    ),
  };
  const session = await openSession(await gradientBytes(`${path}.onnx`, scenario), { device: 'cpu', threads }, path);
  for await (const line of createInterface(process.stdin)) {
    const answer: Answer = { milliseconds: [], cpuMilliseconds: [], loss: 0, squaredNorm: 0, peakBytes: 0 };
    for (let repeat = 0; repeat < Number(line); repeat++) {
      const [start, used] = [performance.now(), process.cpuUsage()];
      const outputs = await session.run(feeds);
      answer.milliseconds.push(performance.now() - start);
      const { user, system } = process.cpuUsage(used);
      answer.cpuMilliseconds.push((user + system) / 1000);
      answer.loss = Number(outputs['loss']?.data[0]);
      answer.squaredNorm = squaredSize(outputs);
    }
    process.stdout.write(`${JSON.stringify({ ...answer, peakBytes: peakMemory() })}\n`);
  }
  await session.close();
}

/** What `palimpsest gradient` writes. */
async function gradientBytes(path: string, { kind }: GradientScenario): Promise<Uint8Array> {
  const wrt = [kind === 'dx' ? 'input' : 'parameters'];
  return writeModel(gradientModel(await loadModel(path), { of: 'cross-entropy', wrt, order: 1 }).model);
}

function squaredSize(outputs: Readonly<Record<string, Tensor>>): number {
  let total = 0;
  for (const [name, { data }] of Object.entries(outputs)) {
    if (name !== 'dx' && !name.startsWith('dp/')) continue;
    for (const x of data) total += Number(x) ** 2;
  }
  return total;
}

/** Of this process. maxRSS begins with what the parent process had. */
function peakMemory(): number {
  if (process.platform !== 'linux') return process.resourceUsage().maxRSS * 1024;
  const [, kilobytes] = /VmHWM:\s*(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return 1024 * Number(kilobytes);
}

if (import.meta.main) {
  const [folder = '', scenario = ''] = process.argv.slice(2);
  await serve(folder, Scenario.parse(JSON.parse(scenario)));
}
