import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { unzipSync } from 'fflate';
import { attainment, excessLosses, impressionsFile, impressionsGrid, type Impressions } from './impressions.ts';
import { AttainmentData, gridRows } from './report.ts';
import { emptyProgress, type SynthesisLayout, type SynthesisProgress } from '../../train/impressions/synthesize.ts';
import { rowEntropies, type TargetSet } from '../../train/impressions/targets.ts';

const names = (count: number): string[] => Array.from({ length: count }, (_, k) => `c${k}`);

/** Two classes; the teacher is right about rows 0, 1 and 3. */
const targets: TargetSet = {
  targets: Float32Array.of(1, 0, 0.25, 0.75, 0.9, 0.1, 0, 1),
  classes: Int32Array.of(0, 1, 0, 1),
  scales: Float32Array.of(1, 0.1, 0.1, 1),
};
const made: Impressions = {
  images: Float32Array.of(0, 0.5, 0.25, 1, 0.1, 0.2, 0.3, 0.9),
  shape: [1, 1, 2],
  targets,
  logits: Float32Array.of(4, 0, 0, 2, 0, 1, 0, 9),
  classes: 2,
  classNames: ['a', 'b'],
};

describe('the excess loss', () => {
  it('is KL(target ‖ answer at the temperature), 0 where the target is met', () => {
    const logits = targets.targets.map((p) => 3 * Math.log(Math.max(p, 1e-12)));
    for (const value of excessLosses({ ...made, logits }, 3)) assert.ok(Math.abs(value) < 1e-5, `${value}`);
    const [first] = excessLosses(made, 2);
    assert.ok(Math.abs((first ?? NaN) - Math.log(1 + Math.exp(-2))) < 1e-6);
  });

  it('is never negative', () => {
    for (const temperature of [0.5, 1, 20]) assert.ok(excessLosses(made, temperature).every((value) => value >= -1e-6));
  });
});

describe('the attainment statistics', () => {
  const { json, event } = attainment(made, 2);

  it('are what the report reads', () => {
    assert.ok(event.type === 'artifact' && 'json' in event.content);
    assert.deepEqual(AttainmentData.parse(JSON.parse(JSON.stringify(event.content.json))), event.content.json);
    assert.equal(json.attained, 0.75);
  });

  it('count answers, ranges, gaps and each scale', () => {
    const data = AttainmentData.parse(json);
    assert.deepEqual([data.count, data.classHistogram, data.pixelRange], [4, [1, 3], [0, 1]]);
    assert.equal(data.meanLogitGap, (4 + 2 + 1 + 9) / 4);
    assert.deepEqual(
      data.scales.map(({ scale, count, attained }) => [scale, count, attained]),
      [
        [1, 2, 1],
        [0.1, 2, 0.5],
      ],
    );
    const entropies = rowEntropies(targets.targets, 2);
    assert.ok(Math.abs(data.targetEntropy - entropies.reduce((a, b) => a + b, 0) / 4) < 1e-12);
    const excess = excessLosses(made, 2);
    assert.ok(Math.abs(data.excessLoss.mean - excess.reduce((a, b) => a + b, 0) / 4) < 1e-12);
  });
});

describe('the picture of impressions', () => {
  function progressOf(layout: SynthesisLayout, finished: readonly number[], value = 1): SynthesisProgress {
    const progress = emptyProgress(layout);
    progress.images.fill(value);
    for (const batch of finished)
      progress.losses.set(batch, { dtype: 'float32', dims: [0], data: new Float32Array(0) });
    return progress;
  }
  const inTurn = (count: number, classes: number): TargetSet => ({
    targets: new Float32Array(count * classes),
    classes: Int32Array.from({ length: count }, (_, i) => i % classes),
    scales: new Float32Array(count),
  });
  async function pixelsOf(
    progress: SynthesisProgress,
    set: TargetSet,
    classes: number,
    bounds: [number, number] = [0, 1],
  ) {
    const event = await impressionsGrid(progress, set, bounds, names(classes));
    assert.ok(event.type === 'artifact' && 'bytes' in event.content);
    const { data, info } = await sharp(event.content.bytes).raw().toBuffer({ resolveWithObject: true });
    return { data, info, meta: event.meta };
  }

  it('has a row for each class, is as wide as the fullest, and leaves clear what is not made yet', async () => {
    const layout = { count: 8, batchSize: 4, shape: [1, 28, 28] } as const;
    const { data, info, meta } = await pixelsOf(progressOf(layout, [0]), inTurn(8, 2), 2);
    assert.deepEqual([info.width, info.height], [4 * 58 - 2, 2 * 58 - 2]);
    assert.deepEqual(meta, { rows: ['c0', 'c1'], columns: 4 });
    const at = (column: number): number | undefined =>
      data[(10 * info.width + column * 58 + 10) * info.channels + info.channels - 1];
    // Batch 0 holds images 0 to 3: two of each class.
    assert.deepEqual([at(0), at(1), at(2)], [255, 255, 0]);
  });

  it('maps the range of the model to black and white', async () => {
    const layout = { count: 4, batchSize: 4, shape: [1, 28, 28] } as const;
    const { data } = await pixelsOf(progressOf(layout, [0], 1), inTurn(4, 2), 2, [-1, 3]);
    assert.equal(data[0], Math.round(255 / 2));
  });

  it('shows the first classes only when there are many, and large images as they are', async () => {
    const layout = { count: 100, batchSize: 100, shape: [1, 60, 60] } as const;
    const { info, meta } = await pixelsOf(progressOf(layout, [0]), inTurn(100, 100), 100);
    assert.deepEqual([info.width, info.height], [62 - 2, gridRows * 62 - 2]);
    assert.deepEqual(meta?.['rows'], names(gridRows));
  });

  it('shows colours, and the first channel of images that are neither grey nor colour', async () => {
    for (const [channels, shown] of [
      [3, 3],
      [2, 1],
      [5, 1],
    ] as const) {
      const layout = { count: 2, batchSize: 2, shape: [channels, 8, 8] } as const;
      const event = await impressionsGrid(progressOf(layout, [0]), inTurn(2, 2), [0, 1], names(2));
      assert.ok(event.type === 'artifact' && 'bytes' in event.content);
      assert.equal((await sharp(event.content.bytes).metadata()).channels, shown, `${channels} channels`);
    }
  });
});

describe('the file of impressions', () => {
  it('holds what was computed, bit for bit', () => {
    const event = impressionsFile(made);
    assert.ok(event.type === 'artifact' && 'bytes' in event.content);
    const files = unzipSync(event.content.bytes);
    const body = (name: string, bytes: number): Uint8Array => files[`${name}.npy`]?.slice(-bytes) ?? assert.fail(name);
    assert.deepEqual(new Float32Array(body('images', 32).buffer), made.images);
    assert.deepEqual(new Float32Array(body('teacher_logits', 32).buffer), made.logits);
    assert.deepEqual(new Int32Array(body('classes', 16).buffer), targets.classes);
    assert.deepEqual(new Float32Array(body('scales', 16).buffer), targets.scales);
    assert.deepEqual(event.meta, { count: 4, shape: [1, 1, 2] });
  });
});
