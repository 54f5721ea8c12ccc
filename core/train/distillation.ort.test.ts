import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkbenchError } from '../base/errors.ts';
import { stream } from '../base/rng.ts';
import { floatsOf, sizeOf, type Tensor } from '../base/tensor.ts';
import { randomAffine, warpAffine } from '../data/augment.ts';
import { createBatchOrder } from '../data/batches.ts';
import { tinyShapes } from '../data/synthetic.ts';
import { argmaxRows } from '../metrics/classification.ts';
import { logSoftmaxRows } from '../metrics/probabilities.ts';
import {
  distill,
  distillSteps,
  isIdentity,
  type DistillOptions,
  type DistillProgress,
  type TransferSet,
} from './distillation.ts';
import { predictLogits } from './evaluate-arms.ts';
import { releaseAugmentation } from './augmentation.ts';
import { arraySource } from './evaluate.ts';
import { lightFeeds } from './light.ts';
import { opened, tinyClasses, tinyNet, tinyShape, trainedOnShapes } from './testing/tiny-teacher.ts';
import type { TrainingSnapshot } from './training-loop.ts';

const teacher = await opened(await trainedOnShapes(tinyNet()));
const student = await opened(tinyNet({ hidden: 8, seed: 9 }));
const session = { device: 'cpu', threads: 1 } as const;
const size = sizeOf(tinyShape);
const { images } = tinyShapes(5, 60, tinyShape, tinyClasses);
const set: TransferSet = { source: arraySource(images, tinyShape) };
const still = { rotationDegrees: 0, scaleMin: 1, scaleMax: 1, translatePixels: 0 };
const moved = { rotationDegrees: 30, scaleMin: 0.8, scaleMax: 1.2, translatePixels: 2 };

const options: DistillOptions = {
  name: 'student',
  teacher,
  student,
  temperature: 4,
  epochs: 3,
  batchSize: 16,
  learningRate: 0.01,
  schedule: 'cosine',
  weightDecay: 0,
  view: moved,
  plainEpochs: 0,
  seed: 6,
  session,
};

interface Distilled {
  readonly losses: number[];
  readonly steps: number[];
  readonly snapshots: TrainingSnapshot[];
  readonly parameters: Record<string, Tensor>;
}

async function distilled(
  more: Partial<DistillOptions> = {},
  from = set,
  { msPerLook = 0, snapshot }: { msPerLook?: number; snapshot?: TrainingSnapshot } = {},
): Promise<Distilled> {
  let atMs = 0;
  const losses: number[] = [];
  const steps: number[] = [];
  const snapshots: TrainingSnapshot[] = [];
  let last: DistillProgress | undefined;
  for await (const progress of distill({ ...options, ...more }, from, snapshot, () => (atMs += msPerLook))) {
    losses.push(...progress.losses);
    steps.push(progress.step);
    snapshots.push(structuredClone(progress.snapshot));
    last = progress;
  }
  return { losses, steps, snapshots, parameters: last?.parameters() ?? assert.fail() };
}

/** τ²·KL(teacher ‖ student) of each row. */
function divergences(teacherLogits: Float32Array, studentLogits: Float32Array, temperature: number): number[] {
  const [t, s] = [teacherLogits, studentLogits].map((logits) => logSoftmaxRows(logits, tinyClasses, temperature));
  assert.ok(t && s);
  return Array.from({ length: t.length / tinyClasses }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < tinyClasses; k++) {
      const at = i * tinyClasses + k;
      sum += Math.exp(t[at] ?? NaN) * ((t[at] ?? NaN) - (s[at] ?? NaN));
    }
    return temperature ** 2 * sum;
  });
}

const logitsOf = (model: typeof teacher, rows: Float32Array): Promise<Float32Array> =>
  predictLogits(model, arraySource(rows, tinyShape), session, new AbortController().signal);
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

/** The first batch as the loop should see it; `view` undefined: without augmentation. */
function firstBatch(batchSize: number, view: typeof moved | undefined): { indices: Int32Array; rows: Float32Array } {
  const indices = createBatchOrder(options.seed, 'student.order', 60, batchSize).at(0);
  const rows = new Float32Array(batchSize * size);
  indices.forEach((index, i) => rows.set(images.subarray(index * size, (index + 1) * size), i * size));
  if (!view) return { indices, rows };
  const rng = stream(options.seed, 'student.view', 0);
  const [, height, width] = tinyShape;
  const thetas = Array.from({ length: batchSize }, () => randomAffine(rng, { ...view, height, width })).flat();
  const warped = new Float32Array(rows.length);
  warpAffine(rows, [batchSize, ...tinyShape], thetas, warped);
  return { indices, rows: warped };
}

const close = (found: number | undefined, expected: number): void =>
  assert.ok(Math.abs((found ?? NaN) - expected) <= 1e-4 * Math.max(1, expected), `${found}, expected ${expected}`);

describe('distillation', () => {
  it('has the teacher answer the very view that the student sees', async () => {
    const { rows } = firstBatch(16, moved);
    const expected = mean(divergences(await logitsOf(teacher, rows), await logitsOf(student, rows), 4));
    const plain = firstBatch(16, undefined).rows;
    const unseen = mean(divergences(await logitsOf(teacher, plain), await logitsOf(student, rows), 4));
    const { losses } = await distilled();
    close(losses[0], expected);
    assert.ok(Math.abs((losses[0] ?? NaN) - unseen) > 0.01);
  });

  it('shows both networks the images in the light that its feeds name', async () => {
    const light = { brightness: 3, overlay: 0.5 };
    const { rows } = firstBatch(16, moved);
    const range = { range: light, batchSize: 16, name: 'student', seed: options.seed, isPlain: () => false };
    const { brightness, overlay } = lightFeeds(range, 0, 1);
    assert.ok(brightness && overlay);
    const factors = floatsOf(brightness);
    const weights = floatsOf(overlay);
    const bright = rows.map((value, i) => Math.min(1, Math.max(0, value * (factors[Math.floor(i / size)] ?? NaN))));
    const seen = bright.map((value, i) =>
      Math.max(value, (bright[(i + size) % bright.length] ?? NaN) * (weights[Math.floor(i / size)] ?? NaN)),
    );
    const expected = mean(divergences(await logitsOf(teacher, seen), await logitsOf(student, seen), 4));
    const { losses } = await distilled({ light });
    close(losses[0], expected);
    assert.ok(Math.abs(expected - ((await distilled()).losses[0] ?? NaN)) > 0.01);
  });

  it('leaves the light alone in plain epochs', async () => {
    const light = { brightness: 3, overlay: 1 };
    const plain = await distilled({ plainEpochs: 1 });
    assert.deepEqual((await distilled({ plainEpochs: 1, light })).losses, plain.losses);
    const third = await distilled({ plainEpochs: 2, light, epochs: 2, batchSize: 60, learningRate: 1e-12 });
    const unlit = await distilled({ plainEpochs: 2, epochs: 2, batchSize: 60, learningRate: 1e-12 });
    assert.notEqual(third.losses[0], unlit.losses[0]);
    close(third.losses[1], unlit.losses[1] ?? NaN);
  });

  it('makes the student agree with the teacher', async () => {
    const { losses, parameters } = await distilled({ epochs: 40, view: still });
    assert.ok(mean(losses.slice(-10)) < 0.1 * mean(losses.slice(0, 4)), losses.join());
    const { graph } = student;
    assert.deepEqual(
      Object.keys(parameters).every((name) => graph.initializers.has(name)),
      true,
    );
  });

  it('learns given logits in place of the teacher’s answer to the view', async () => {
    const logits = Float32Array.from({ length: 60 * tinyClasses }, (_, i) => 3 * Math.sin(i));
    const { indices, rows } = firstBatch(16, moved);
    const given = Float32Array.from(
      [...indices].flatMap((index) => [...logits.subarray(index * tinyClasses, (index + 1) * tinyClasses)]),
    );
    const { losses } = await distilled({}, { ...set, logits });
    close(losses[0], mean(divergences(given, await logitsOf(student, rows), 4)));
  });

  it('mixes soft answers and the most likely class as it is told', async () => {
    const { rows } = firstBatch(16, moved);
    const [wanted, found] = [await logitsOf(teacher, rows), await logitsOf(student, rows)];
    const logProbabilities = logSoftmaxRows(found, tinyClasses);
    const soft = divergences(wanted, found, 4);
    const hard = Array.from(
      argmaxRows(wanted, tinyClasses),
      (label, i) => -(logProbabilities[i * tinyClasses + label] ?? NaN),
    );
    close((await distilled({ softWeight: 0 })).losses[0], mean(hard));
    close((await distilled({ softWeight: 0.3 })).losses[0], 0.3 * mean(soft) + 0.7 * mean(hard));
    const weights = Float32Array.from({ length: 60 }, (_, i) => (i % 3) / 2);
    const { indices } = firstBatch(16, moved);
    const each = soft.map((value, i) => (0.3 * value + 0.7 * (hard[i] ?? NaN)) * (weights[indices[i] ?? 0] ?? NaN));
    close((await distilled({ softWeight: 0.3 }, { ...set, weights })).losses[0], mean(each));
  });

  it('weighs each image as it is told', async () => {
    const weights = Float32Array.from({ length: 60 }, (_, i) => (i % 3) / 2);
    const { indices, rows } = firstBatch(16, moved);
    const each = divergences(await logitsOf(teacher, rows), await logitsOf(student, rows), 4);
    const { losses } = await distilled({}, { ...set, weights });
    close(losses[0], mean(each.map((value, i) => value * (weights[indices[i] ?? 0] ?? NaN))));
    const ones = await distilled({}, { ...set, weights: new Float32Array(60).fill(1) });
    const plain = await distilled();
    ones.losses.forEach((loss, step) => close(loss, plain.losses[step] ?? NaN));
  });

  it('lets the last of every so many epochs pass without augmentation', async () => {
    // 60 images in batches of 15: four steps an epoch, so each step lies in one epoch.
    const four = { batchSize: 15, epochs: 4, learningRate: 1e-9 };
    const without = (await distilled({ ...four, view: still })).losses;
    const always = (await distilled({ ...four, plainEpochs: 0 })).losses;
    const plainSteps = async (plainEpochs: number): Promise<number[]> => {
      const { losses } = await distilled({ ...four, plainEpochs });
      losses.forEach((loss, step) => {
        const [a, b] = [without[step] ?? NaN, always[step] ?? NaN];
        assert.ok(Math.abs(loss - a) < 1e-4 || Math.abs(loss - b) < 1e-4, `step ${step}: ${loss}, ${a} or ${b}`);
      });
      return losses.flatMap((loss, step) => (Math.abs(loss - (without[step] ?? NaN)) < 1e-4 ? [step] : []));
    };
    assert.deepEqual(await plainSteps(2), [4, 5, 6, 7, 12, 13, 14, 15]);
    assert.deepEqual(await plainSteps(3), [8, 9, 10, 11]);
    assert.deepEqual(await plainSteps(0), []);
    assert.equal((await plainSteps(1)).length, 16);
  });

  it('takes the released code’s transforms in place of views, and their noise before the view', async () => {
    // Hundreds of images, so that transforms that change single pixels are among them.
    const many = { batchSize: 300, epochs: 5, augmentation: 'release', name: 'student' } as const;
    const { indices, rows } = firstBatch(300, undefined);
    assert.equal(indices.length, 300);
    const rng = stream(options.seed, 'student.view', 0);
    const [, height, width] = tinyShape;
    const thetas: number[] = [];
    let noisy = 0;
    for (let i = 0; i < 300; i++) {
      const { theta, pixels } = releaseAugmentation(rng, height, width);
      thetas.push(...theta);
      if (pixels) noisy++;
      pixels?.(rows.subarray(i * size, (i + 1) * size));
    }
    assert.ok(noisy > 0);
    const warped = new Float32Array(rows.length);
    warpAffine(rows, [300, ...tinyShape], thetas, warped);
    const expected = mean(divergences(await logitsOf(teacher, warped), await logitsOf(student, warped), 4));
    close((await distilled(many)).losses[0], expected);
    close((await distilled({ ...many, view: still })).losses[0], expected);
  });

  it('follows its schedule', async () => {
    const step = async (schedule: 'cosine' | 'constant', at: number): Promise<number[]> => {
      const { snapshots } = await distilled({ schedule }, set, { msPerLook: 1000 });
      const weight = (snapshot: TrainingSnapshot | undefined): ArrayLike<number | bigint> =>
        snapshot?.tensors['student.fc2.bias']?.data ?? [];
      const [before, now] = [weight(snapshots[at - 1]), weight(snapshots[at])];
      return Array.from(now, (value, i) => Math.abs(Number(value) - Number(before[i])));
    };
    const [constant, cosine] = [await step('constant', 11), await step('cosine', 11)];
    assert.ok(Math.max(...cosine) < 0.05 * Math.max(...constant), `${cosine.join()} and ${constant.join()}`);
  });

  it('takes ⌈images × epochs / batch⌉ steps, and no chunk runs over a stop', async () => {
    const fast = await distilled();
    assert.equal(fast.losses.length, 12);
    assert.deepEqual([distillSteps(60, 3, 16), distillSteps(64, 3, 16), distillSteps(1, 1, 16)], [12, 12, 1]);
    const stopped = await distilled({ stopEvery: 5 });
    for (const stop of [5, 10, 12]) assert.ok(stopped.steps.includes(stop), stopped.steps.join());
    assert.deepEqual(stopped.losses, fast.losses);
  });

  it('gives the same bits for any chunks, and goes on from any of them', async () => {
    const straight = await distilled();
    const fine = await distilled({}, set, { msPerLook: 1000 });
    assert.equal(fine.steps.length, 12);
    assert.deepEqual(fine.losses, straight.losses);
    assert.deepEqual(fine.parameters, straight.parameters);
    for (const snapshot of fine.snapshots.slice(0, -1)) {
      const resumed = await distilled({}, set, { snapshot });
      assert.deepEqual(resumed.losses, straight.losses.slice(snapshot.step));
      assert.deepEqual(resumed.parameters, straight.parameters);
    }
  });

  it('feeds large batches in short chunks, whatever the clock says', async () => {
    const { steps, losses } = await distilled({ batchSize: 10_000, epochs: 3000, view: still });
    assert.equal(losses.length, 18);
    const sizes = steps.map((step, i) => step - (steps[i - 1] ?? 0));
    assert.deepEqual(sizes, [1, 4, 8, 5]);
  });

  it('draws other batches and views under another name or seed', async () => {
    const [a, b, c] = [await distilled(), await distilled({ name: 'noise' }), await distilled({ seed: 7 })];
    assert.notEqual(a.losses[0], b.losses[0]);
    assert.notEqual(a.losses[0], c.losses[0]);
  });

  it('that diverges says the step and the last finite loss', async () => {
    await assert.rejects(
      distilled({ learningRate: 1e30, schedule: 'constant' }),
      (error) =>
        error instanceof WorkbenchError &&
        error.code === 'NUMERIC_DIVERGED' &&
        /of student .* at step \d+ \(last finite loss [\d.e+]+\)/.test(error.message) &&
        /learning rate/.test(error.hint ?? ''),
    );
  });
});

describe('a range of views', () => {
  it('is the identity only when nothing varies', () => {
    assert.ok(isIdentity(still));
    for (const change of [{ rotationDegrees: 1 }, { scaleMin: 0.9 }, { scaleMax: 1.1 }, { translatePixels: 0.5 }]) {
      assert.ok(!isIdentity({ ...still, ...change }), JSON.stringify(change));
    }
  });
});
