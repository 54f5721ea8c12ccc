import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { invariant } from '../core/base/errors.ts';
import { float32, floatsOf, sizeOf, type FloatTensor } from '../core/base/tensor.ts';
import type { ImageSet } from '../core/data/dataset.ts';
import { openAttack } from '../core/leakage/attack.ts';
import { presetSettings } from '../core/leakage/attack-presets.ts';
import { startLabelLogits, startPixels } from '../core/leakage/attack-start.ts';
import { openClient } from '../core/leakage/victim-gradient.ts';
import { openVictim, type Victim } from '../core/leakage/victim.ts';
import { argmaxRows } from '../core/metrics/classification.ts';
import { meanSquaredError } from '../core/metrics/images.ts';
import { openLanes } from '../core/runtime/lanes.ts';
import { pool } from '../core/runtime/pool.ts';
import type { Lane } from '../core/runtime/session.ts';
import { openModel } from '../core/train/models.ts';
import type { LeakageRun } from './leakage-summary.ts';

export interface RunsScenario {
  readonly attack: 'dlg' | 'idlg';
  /** Outer steps. */
  readonly steps: number;
  readonly firstImage: number;
  readonly images: number;
  readonly lanes: number;
}

/** The item of a set as [1, C, H, W] and its label. */
export async function itemOf(set: ImageSet, index: number): Promise<{ image: FloatTensor; label: number }> {
  const data = new Float32Array(sizeOf(set.shape));
  await set.read([index], data);
  return { image: float32([1, ...set.shape], data), label: set.labels?.[index] ?? 0 };
}

const victimOf = async (set: ImageSet, index: number): Promise<Victim> =>
  openVictim(
    await openModel({ kind: 'zoo', architecture: 'lenet-zhu' }, 'victim', {
      shape: set.shape,
      classes: 10,
      seed: index,
    }),
  );

const seedOf = (index: number): number => 1000 + index;

/**
 * Writes net, image and start of one run for reference/leakage_runs.py, as INDEX-LABEL.f32: float32 weights in the order
 * of the parameters, image, first guess of the image and of the labels.
 */
export async function writeCase(set: ImageSet, index: number, folder: string): Promise<void> {
  const { image, label } = await itemOf(set, index);
  const victim = await victimOf(set, index);
  const start = { kind: 'normal', dims: [1, ...set.shape], seed: seedOf(index), restart: 0 } as const;
  const parts = [
    ...victim.parameters.map(({ initial }) => floatsOf(initial)),
    image.data,
    startPixels(start),
    startLabelLogits(victim.classes, seedOf(index), 0),
  ];
  const bytes = parts.map(({ buffer, byteOffset, byteLength }) => new Uint8Array(buffer, byteOffset, byteLength));
  writeFileSync(join(folder, `${index}-${label}.f32`), Buffer.concat(bytes));
}

/** LeNet(Zhu) initialised from the number of the image, the start of the attack from 1000 + that. Yields as runs end. */
export async function* leakageRuns(set: ImageSet, scenario: RunsScenario): AsyncGenerator<LeakageRun> {
  const { firstImage, images, lanes: count } = scenario;
  const lanes = openLanes(count);
  const indices = Array.from({ length: images }, (_, i) => firstImage + i);
  try {
    yield* pool(lanes, indices, (index, lane) => oneRun(set, scenario, index, lane));
  } finally {
    await Promise.all(lanes.map((lane) => lane.close()));
  }
}

async function* oneRun(
  set: ImageSet,
  scenario: RunsScenario,
  index: number,
  lane: Lane,
): AsyncGenerator<LeakageRun, void, void> {
  const session = { device: 'cpu', threads: 1, lane } as const;
  const { image, label } = await itemOf(set, index);
  const victim = await victimOf(set, index);
  const client = await openClient(victim, { batchSize: 1, session });
  const { shared } = await client.share(image, [label]);
  await client.close();
  const guessed = labelOf(victim, shared.tensors);
  const settings = {
    ...presetSettings(scenario.attack, { batchSize: 1, labels: [guessed], seed: seedOf(index) }),
    steps: scenario.steps,
    stopEvery: 1,
  };
  const attack = await openAttack(victim, shared, settings, session);
  while (!attack.outcome) await attack.advance();
  const { images, labels, distance, evaluations, restarts } = attack.outcome;
  await attack.close();
  const [only] = restarts;
  invariant(only, 'there is one restart');
  yield {
    index,
    isLabelRight: labels[0] === label,
    mse: meanSquaredError(images.data, image.data),
    distance,
    end: only.end,
    steps: only.steps,
    evaluations,
  };
}

/** The class whose entry of the last bias is the lowest; at batch 1 the only negative one. */
function labelOf({ head, classes }: Victim, tensors: Readonly<Record<string, FloatTensor>>): number {
  const bias = tensors[head?.bias ?? ''];
  invariant(bias, 'the last layer has a bias');
  return (
    argmaxRows(
      floatsOf(bias).map((x) => -x),
      classes,
    )[0] ?? 0
  );
}
