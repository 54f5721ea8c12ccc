import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { wallClock } from '../core/base/clock.ts';
import { stream } from '../core/base/rng.ts';
import { startJob } from '../core/jobs/client.ts';
import { canMove } from '../core/jobs/states.ts';
import { spec } from '../core/methods/data-impressions/spec.ts';
import { openWorkspace } from '../core/store/workspace.ts';
import { bundledModel } from '../core/train/models.ts';

/** A whole run of `data-impressions` whose student is held against a figure. */
export interface QualityScenario {
  readonly id: string;
  readonly title: string;
  readonly recipe?: 'quick' | 'standard' | 'paper';
  readonly params: Readonly<Record<string, unknown>>;
  /** Architecture of the student; default lenet5-half. */
  readonly student?: string;
  readonly data: 'mnist' | 'fashion-mnist';
  readonly seeds: readonly number[];
  /** The student's accuracy must lie in this range, mean over seeds. */
  readonly bar: readonly [number, number];
  readonly reference: string;
  /** Minutes that the run may take; undefined where only the figure counts. */
  readonly minutes?: number;
}

/** The calibrations' protocol knows affine views only. */
const unlit = { augmentBrightness: 1, augmentOverlay: 0 };
/** The protocol's scales are those of the sampling grid, as affine_grid takes them: the content scales by 1/s. */
const gridScales = { augmentScaleLow: 1 / 1.1, augmentScaleHigh: 1 / 0.75 };
const noControls = { controlNoise: false, controlReal: false };
const plainSynthesis = {
  initialScale: 1,
  totalVariation: 0,
  sparsity: 0,
  viewRotation: 0,
  viewScaleLow: 1,
  viewScaleHigh: 1,
  viewShift: 0,
};
const calibrationB = {
  steps: 150,
  epochs: 60,
  temperature: 5,
  distillTemperature: 8,
  viewScaleLow: 1 / 1.15,
  viewScaleHigh: 1 / 0.85,
  ...gridScales,
  ...unlit,
  ...noControls,
};

/** LeNet-5 with half the filters, 35,820 parameters. */
const paperStudent = 'lenet5-half-filters';

export const qualityScenarios: readonly QualityScenario[] = [
  {
    id: 'calibration-a',
    title: 'Calibration A: 2,000 impressions, 200 steps, τ 20',
    params: {
      count: 2000,
      steps: 200,
      epochs: 60,
      temperature: 20,
      distillTemperature: 20,
      ...plainSynthesis,
      ...unlit,
    },
    data: 'mnist',
    seeds: [0, 1, 2],
    bar: [0.737 - 0.03, 0.737 + 0.03],
    reference: 'PyTorch 73.7 %, noise 22.3 %, real 97.4 %',
  },
  {
    id: 'calibration-b-2000',
    title: 'Calibration B: 2,000 impressions, 150 steps',
    params: { count: 2000, ...calibrationB },
    data: 'mnist',
    seeds: [0, 1, 2],
    bar: [0.83, 1],
    reference: 'PyTorch 85.3 %',
  },
  {
    id: 'calibration-b-6000',
    title: 'Calibration B: 6,000 impressions, 150 steps',
    params: { count: 6000, ...calibrationB },
    data: 'mnist',
    seeds: [0, 1, 2],
    bar: [0.925, 1],
    reference: 'PyTorch 93.9 %, 297 s on one core',
  },
  {
    id: 'standard-mnist',
    title: 'Recipe standard, MNIST',
    recipe: 'standard',
    params: noControls,
    data: 'mnist',
    seeds: [0],
    bar: [0.965, 1],
    reference: 'PyTorch 96.2 %, 11.4 min on one core',
    minutes: 15,
  },
  {
    id: 'standard-fashion',
    title: 'Recipe standard, Fashion-MNIST',
    recipe: 'standard',
    params: noControls,
    data: 'fashion-mnist',
    seeds: [0],
    bar: [0.72, 1],
    reference: 'PyTorch 70.4 % (8,000 impressions)',
  },
  {
    id: 'paper-mnist',
    title: 'Recipe paper, MNIST, 24,000 impressions',
    recipe: 'paper',
    student: paperStudent,
    params: noControls,
    data: 'mnist',
    seeds: [0],
    bar: [0.97, 1],
    reference: 'paper 98.77 %, a third-party reproduction 96.98 %',
  },
  {
    id: 'paper-fashion',
    title: 'Recipe paper, Fashion-MNIST, 48,000 impressions',
    recipe: 'paper',
    student: paperStudent,
    params: { count: 48000, ...noControls },
    data: 'fashion-mnist',
    seeds: [0],
    bar: [0.75, 1],
    reference: 'paper 79.62 %',
  },
];

export interface QualityResult {
  readonly seed: number;
  readonly metrics: Readonly<Record<string, number | null>>;
  readonly minutes: number;
  readonly peakMemoryBytes: number;
}

/** Runs one seed in a job process and a workspace of its own, as the command line does. */
export async function runQuality(scenario: QualityScenario, seed: number, dataDir: string): Promise<QualityResult> {
  const dir = mkdtempSync(join(tmpdir(), 'palimpsest-bench-'));
  const rng = stream(seed, 'bench');
  const workspace = openWorkspace(dir, { now: wallClock, random: () => rng.uniform(), canMove });
  try {
    const recipe = scenario.recipe === undefined ? {} : spec.recipes[scenario.recipe]?.params;
    const params = spec.params.parse({ ...recipe, ...scenario.params, seed });
    const teacher = bundledModel(scenario.data === 'mnist' ? 'lenet5-mnist' : 'lenet5-fmnist');
    const data = (split: 'test' | 'train') => ({ path: resolve(dataDir), format: 'auto' as const, split });
    const runId = workspace.createRun({
      methodId: spec.id,
      methodVersion: spec.version,
      params,
      models: {
        teacher: { kind: 'file', path: teacher },
        student: { kind: 'zoo', architecture: scenario.student ?? 'lenet5-half' },
      },
      data: { test: data('test'), real: data('train') },
      device: 'cpu',
      threads: availableParallelism(),
    });
    let peakMemoryBytes = 0;
    const job = startJob({
      store: workspace,
      runId,
      now: wallClock,
      onEvent: (event) => {
        if (event.type === 'finished') peakMemoryBytes = event.peakMemoryBytes ?? 0;
      },
    });
    const record = await job.done;
    if (record.state !== 'succeeded')
      throw new Error(`${scenario.id}, seed ${seed}: ${record.error?.message ?? record.state}`);
    return { seed, metrics: record.metrics, minutes: record.durationMs / 60_000, peakMemoryBytes };
  } finally {
    workspace.close();
    rmSync(dir, { recursive: true, force: true });
  }
}
