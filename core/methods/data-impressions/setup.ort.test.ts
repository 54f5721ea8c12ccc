import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkbenchError } from '../../base/errors.ts';
import { float32, floatsOf, sizeOf } from '../../base/tensor.ts';
import { GraphBuilder } from '../../autodiff/builder.ts';
import { inlineGraph } from '../../autodiff/inline.ts';
import { tinyShapesSet } from '../../data/synthetic.ts';
import { compile } from '../../runtime/session.ts';
import { opened, tinyClasses, tinyNet, tinyShape, trainedOnShapes } from '../../train/testing/tiny-teacher.ts';
import type { ParamsOf } from '../define.ts';
import type { Impressions } from './impressions.ts';
import { laneCount, synthesisOptions, synthesisTeacher, targetOptions, transferArms } from './setup.ts';
import { spec } from './spec.ts';
import { openSynthesis } from '../../train/impressions/synthesis.ts';
import { noSimilarity, sampleTargets } from '../../train/impressions/targets.ts';

type Params = ParamsOf<typeof spec>;

const teacher = await opened(tinyNet());
const student = await opened(tinyNet({ seed: 2 }));
const session = { device: 'cpu', threads: 1 } as const;
const real = tinyShapesSet(1, 40, tinyShape);
const base = spec.params.parse({ count: 24, viewRotation: 0, viewShift: 0, viewScaleLow: 1, viewScaleHigh: 1 });

function impressionsFor(params: Params): Impressions {
  const targets = sampleTargets(noSimilarity(tinyClasses), targetOptions(params));
  const logits = Float32Array.from({ length: params.count * tinyClasses }, (_, i) => Math.sin(i));
  const images = new Float32Array(params.count * sizeOf(tinyShape)).fill(0.5);
  return { images, shape: tinyShape, targets, logits, classes: tinyClasses, classNames: ['a', 'b', 'c', 'd'] };
}

/** Everything that parameters decide, by phase. */
async function planOf(params: Params) {
  const arms = await transferArms({ params, teacher, student, impressions: impressionsFor(params), real });
  return {
    targets: targetOptions(params),
    synthesis: synthesisOptions(params),
    students: arms.map(({ name, selection, set, responses, options }) => ({
      name,
      selection,
      count: set.source.count,
      labels: set.logits && [...set.logits],
      watched: responses?.length,
      options: { ...options, teacher: undefined, student: undefined },
    })),
    lanes: laneCount({ device: 'cpu', threads: 2 }, params.lanes, 100),
  };
}

type Part = keyof Awaited<ReturnType<typeof planOf>>;

/** Each switch: another value, and the phases that hear of it. */
const switches: { readonly [Name in keyof Params]: readonly [Params[Name], ...Part[]] } = {
  count: [30, 'targets', 'synthesis', 'students'],
  steps: [7, 'synthesis'],
  synthesisBatchSize: [8, 'synthesis'],
  synthesisLearningRate: [0.3, 'synthesis'],
  synthesisSchedule: ['linear', 'synthesis'],
  temperature: [20, 'synthesis'],
  targets: ['one-hot', 'targets'],
  scales: [[10], 'targets'],
  scaleMode: ['release', 'targets'],
  pixels: ['free', 'synthesis'],
  initial: ['normal', 'synthesis'],
  initialScale: [1, 'synthesis'],
  warmStart: [true, 'synthesis'],
  totalVariation: [0.5, 'synthesis'],
  sparsity: [0.5, 'synthesis'],
  batchNormPrior: [2, 'synthesis'],
  viewRotation: [9, 'synthesis'],
  viewScaleLow: [0.5, 'synthesis'],
  viewScaleHigh: [2, 'synthesis'],
  viewShift: [3, 'synthesis'],
  epochs: [5, 'students'],
  batchSize: [9, 'students'],
  learningRate: [0.5, 'students'],
  schedule: ['constant', 'students'],
  weightDecay: [0.1, 'students'],
  distillTemperature: [3, 'students'],
  softLabels: ['response', 'students'],
  augmentRotation: [1, 'students'],
  augmentScaleLow: [0.5, 'students'],
  augmentScaleHigh: [2, 'students'],
  augmentShift: [9, 'students'],
  augmentation: ['release', 'students'],
  augmentBrightness: [1, 'students'],
  augmentOverlay: [0.25, 'students'],
  plainEpochs: [0, 'students'],
  selection: ['agreement', 'students'],
  controlNoise: [false, 'students'],
  controlReal: [false, 'students'],
  lanes: [5, 'lanes'],
  seed: [8, 'targets', 'synthesis', 'students'],
};

describe('the switches of data impressions', async () => {
  const plan = await planOf(base);

  for (const [name, [value, ...parts]] of Object.entries(switches)) {
    it(`${name} changes ${parts.join(', ')} and nothing else`, async () => {
      const changed = await planOf(spec.params.parse({ ...base, [name]: value }));
      const differs = (part: Part): boolean => JSON.stringify(changed[part]) !== JSON.stringify(plan[part]);
      const found = (['targets', 'synthesis', 'students', 'lanes'] as const).filter(differs);
      assert.deepEqual(found, parts);
    });
  }

  it('are all in this table', () => {
    assert.deepEqual(Object.keys(switches).toSorted(), Object.keys(spec.params.shape).toSorted());
  });

  it('give one scale of 1 in release mode, whatever was asked for', () => {
    const released = targetOptions({ ...base, scaleMode: 'release', scales: [1, 0.1, 10] });
    assert.deepEqual(released.scales, [1, 1, 1]);
  });

  it('never ask for a batch larger than the set', async () => {
    const few = { ...base, count: 10, synthesisBatchSize: 200, batchSize: 128 };
    assert.equal(synthesisOptions(few).batchSize, 10);
    const [arm] = await transferArms({ params: few, teacher, student, impressions: impressionsFor(few), real });
    assert.equal(arm?.options.batchSize, 10);
  });
});

describe('the sets that students learn from', () => {
  const arms = (params: Partial<Params>, from = real) => {
    const all = { ...base, ...params };
    return transferArms({ params: all, teacher, student, impressions: impressionsFor(all), real: from });
  };
  const contentOf = async ({ set }: Awaited<ReturnType<typeof arms>>[number]): Promise<Float32Array> => {
    const out = new Float32Array(set.source.count * sizeOf(tinyShape));
    await set.source.read(
      Array.from({ length: set.source.count }, (_, i) => i),
      out,
    );
    return out;
  };

  it('are impressions, uniform noise and real images, as many of each', async () => {
    const [own, noise, control] = await arms({});
    assert.ok(own && noise && control);
    assert.ok((await contentOf(own)).every((value) => value === 0.5));
    const pixels = await contentOf(noise);
    const average = pixels.reduce((a, b) => a + b, 0) / pixels.length;
    assert.ok(Math.abs(average - 0.5) < 0.03 && pixels.every((value) => value >= 0 && value < 1));
    assert.equal(control.set.source.count, 24);
    const rows = await contentOf(control);
    const different = new Set(Array.from({ length: 24 }, (_, i) => rows.subarray(i * 100, (i + 1) * 100).join()));
    assert.equal(different.size, 24);
  });

  it('hold as many real images as there are, when there are too few', async () => {
    assert.equal((await arms({ count: 100 }))[2]?.set.source.count, 40);
  });

  it('carry the response or the target as fixed labels, which read back as the probabilities', async () => {
    const response = (await arms({ softLabels: 'response' }))[0];
    assert.deepEqual(response?.set.logits, impressionsFor(base).logits);
    const target = (await arms({ softLabels: 'target' }))[0];
    const wanted = impressionsFor(base).targets.targets;
    target?.set.logits?.forEach((logit, i) =>
      assert.ok(Math.abs(Math.exp(logit / base.distillTemperature) - (wanted[i] ?? NaN)) < 1e-5),
    );
    assert.equal((await arms({}))[0]?.set.logits, undefined);
  });
});

describe('lanes', () => {
  it('are as many as threads unless told otherwise, never more than the work, one on a GPU', () => {
    const cpu = { device: 'cpu', threads: 8 };
    assert.deepEqual([laneCount(cpu, 0, 100), laneCount(cpu, 3, 100), laneCount(cpu, 0, 5)], [8, 3, 5]);
    assert.equal(laneCount({ device: 'cuda', threads: 8 }, 4, 100), 1);
  });
});

describe('the batch-norm prior', () => {
  it('is refused for a teacher without batch normalisation', () => {
    assert.throws(
      () => synthesisTeacher(teacher, { ...base, batchNormPrior: 1 }),
      (error) =>
        error instanceof WorkbenchError &&
        error.code === 'MODEL_UNSUITABLE' &&
        /needs batch-normalisation layers, but tiny\.onnx has none/.test(error.message) &&
        /prior to 0/.test(error.hint ?? ''),
    );
    assert.deepEqual(synthesisTeacher(teacher, base).batchNorms, []);
  });

  it('brings the statistics of the features nearer to the running ones', async () => {
    const normed = await opened(await trainedOnShapes(tinyNet({ hasNorm: true }), 60));
    const params = { ...base, steps: 40, totalVariation: 0, sparsity: 0, synthesisLearningRate: 0.1 };
    const view = synthesisTeacher(normed, params);
    const [layer] = view.batchNorms;
    assert.ok(layer && view.batchNorms.length === 1);
    const targets = sampleTargets(noSimilarity(tinyClasses), targetOptions(params)).targets;
    const distances: number[] = [];
    for (const batchNormPrior of [0, 30]) {
      const synthesis = await openSynthesis(view, { ...synthesisOptions(params), batchNormPrior }, session);
      const { state } = await synthesis.advance({
        batch: 0,
        state: synthesis.start(0),
        from: 0,
        count: 40,
        targets: float32([24, tinyClasses], targets),
      });
      await synthesis.close();
      const g = new GraphBuilder();
      const x = g.input('x', 'float32', [24, ...tinyShape]);
      g.output('features', inlineGraph(g, view.graph, { inputs: { [view.inputName]: x } }).value(layer.valueName));
      const probe = await compile(g.build('probe'), session);
      const { features } = await probe.run({ x: state['x'] ?? assert.fail() });
      await probe.close();
      distances.push(statisticsDistance(floatsOf(features ?? assert.fail()), layer));
    }
    assert.ok((distances[1] ?? 9) < 0.5 * (distances[0] ?? 0), distances.join());
  });
});

/** ‖μ − μ̂‖² + ‖σ² − σ̂²‖² of [24, 4, 10, 10] features. */
function statisticsDistance(features: Float32Array, layer: { mean: Float32Array; variance: Float32Array }): number {
  let distance = 0;
  for (let channel = 0; channel < 4; channel++) {
    const values = features.filter((_, i) => Math.floor(i / 100) % 4 === channel);
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    distance += (mean - (layer.mean[channel] ?? NaN)) ** 2 + (variance - (layer.variance[channel] ?? NaN)) ** 2;
  }
  return distance;
}
