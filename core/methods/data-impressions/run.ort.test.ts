import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { z } from 'zod';
import { unzipSync } from 'fflate';
import { WorkbenchError } from '../../base/errors.ts';
import { tinyShapesSet } from '../../data/synthetic.ts';
import { EvaluationData } from '../../report/evaluation.ts';
import { storeModel, tinyNet, tinyShape, trainedOnShapes } from '../../train/testing/tiny-teacher.ts';
import type { CheckpointState, RunContext } from '../context.ts';
import type { ParamsOf } from '../define.ts';
import { registry } from '../registry.ts';
import {
  artifactBytes,
  drive,
  plainContext,
  storeSet,
  temporaryFolder,
  type Driven,
  type DriveOptions,
} from '../testing/drive.ts';
import { AttainmentData, ClassSimilarityData, SynthesisCurveData } from './report.ts';
import { run } from './run.ts';
import { spec } from './spec.ts';

type Params = ParamsOf<typeof spec>;

const dir = temporaryFolder({ after });
const teacher = { kind: 'file', path: storeModel(dir, 'teacher.onnx', await trainedOnShapes(tinyNet())) } as const;
const test = await storeSet(dir, 'test', tinyShapesSet(2, 200, tinyShape));
const real = await storeSet(dir, 'real', tinyShapesSet(3, 300, tinyShape));

const quick = {
  count: 200,
  steps: 40,
  synthesisBatchSize: 50,
  viewShift: 1,
  epochs: 15,
  batchSize: 32,
  learningRate: 0.01,
  augmentShift: 1,
  augmentRotation: 10,
  lanes: 2,
  seed: 3,
};
/** As little as has every phase: for tests that run it many times. */
const brief = { ...quick, count: 30, steps: 4, synthesisBatchSize: 12, epochs: 3, batchSize: 16, lanes: 1 };

interface Given {
  readonly params?: Partial<Params>;
  readonly context?: Partial<RunContext<Params>>;
  readonly msPerLook?: number;
}

const ran = ({ params, context, msPerLook = 0 }: Given = {}, options: DriveOptions = {}): Promise<Driven> =>
  drive(
    run,
    {
      ...plainContext(msPerLook),
      params: spec.params.parse({ ...quick, ...params }),
      models: { teacher, student: { kind: 'zoo', architecture: 'mlp' } },
      data: { test, real },
      ...context,
    },
    options,
  );

const jsonOf = <T>(driven: Driven, name: string, schema: z.ZodType<T>): T => {
  const content = driven.artifacts.get(name);
  assert.ok(content && 'json' in content, name);
  return schema.parse(content.json);
};

/** Everything that a run gives away, as bytes. */
const outcome = (driven: Driven): unknown => [
  driven.metrics,
  [...driven.artifacts.keys()].toSorted().map((name) => [name, artifactBytes(driven, name).toString('base64')]),
];

/** Series of a run in two parts; each step is said by exactly one of them. */
function together(first: Driven, second: Driven): Driven['series'] {
  const names = new Set([...Object.keys(first.series), ...Object.keys(second.series)]);
  return Object.fromEntries(
    [...names].map((name) => {
      const [a, b] = [first.series[name] ?? {}, second.series[name] ?? {}];
      assert.deepEqual(
        Object.keys(a).filter((step) => step in b),
        [],
        name,
      );
      return [name, { ...a, ...b }];
    }),
  );
}

describe('data impressions on a tiny teacher', async () => {
  const whole = await ran();
  const metrics = whole.metrics ?? assert.fail();

  it('distil a student from the weights that recognises real images, better than from noise', () => {
    const { studentAccuracy, teacherAccuracy, noiseAccuracy, realAccuracy } = metrics;
    const text = JSON.stringify(metrics);
    assert.ok((teacherAccuracy ?? 0) > 0.95, text);
    assert.ok((realAccuracy ?? 0) > 0.9, text);
    assert.ok((studentAccuracy ?? 0) > 0.6, text);
    assert.ok((studentAccuracy ?? 0) > (noiseAccuracy ?? 1), text);
    assert.ok((metrics['agreement'] ?? 0) > 0.6, text);
    const efficiency = ((studentAccuracy ?? NaN) - 0.25) / ((realAccuracy ?? NaN) - 0.25);
    assert.ok(Math.abs((metrics['cloneEfficiency'] ?? NaN) - efficiency) < 1e-9, text);
  });

  it('give every metric of the declaration that applies, and no other', () => {
    assert.deepEqual(
      Object.keys(metrics).toSorted(),
      Object.keys(spec.metrics)
        .filter((name) => name !== 'heldOutAgreement')
        .toSorted(),
    );
  });

  it('attain the targets far better than images nobody has worked on', async () => {
    const untouched = await ran({
      params: { ...brief, count: 200, steps: 1, synthesisLearningRate: 1e-6, epochs: 1, controlNoise: false },
    });
    assert.ok((metrics['attained'] ?? 0) > 0.85, JSON.stringify(metrics));
    assert.ok((untouched.metrics?.['attained'] ?? 1) < 0.5);
    assert.ok((metrics['excessLoss'] ?? 9) < 0.3 * (untouched.metrics?.['excessLoss'] ?? 0));
  });

  it('show how the loss fell towards its floor', () => {
    const { losses } = jsonOf(whole, 'synthesis-curve', SynthesisCurveData);
    assert.equal(losses.length, 40);
    const { targetEntropy, excessLoss, count, classHistogram, scales, pixelRange } = jsonOf(
      whole,
      'attainment',
      AttainmentData,
    );
    assert.ok((losses[0] ?? 0) > (losses[39] ?? 9) && (losses[39] ?? 0) >= targetEntropy - 1e-4);
    assert.ok(excessLoss.mean >= 0 && excessLoss.p90 >= excessLoss.mean);
    assert.equal(
      classHistogram.reduce((a, b) => a + b, 0),
      count,
    );
    assert.deepEqual(
      scales.map(({ scale, count: share }) => [scale, share]),
      [
        [1, 100],
        [0.1, 100],
      ],
    );
    assert.ok(pixelRange[0] >= 0 && pixelRange[1] <= 1);
  });

  it('say what the teacher’s last layer holds of the classes', () => {
    const { classNames, cosine, normalised } = jsonOf(whole, 'class-similarity', ClassSimilarityData);
    assert.equal(classNames.length, 4);
    normalised.forEach((row, k) => assert.deepEqual([row[k], Math.max(...row), Math.min(...row)], [1, 1, 0]));
    cosine.forEach((row, i) => row.forEach((value, j) => assert.ok(Math.abs(value - (cosine[j]?.[i] ?? NaN)) < 1e-9)));
  });

  it('score teacher, student and controls on the test set', () => {
    const { arms, count } = jsonOf(whole, 'evaluation', EvaluationData);
    assert.equal(count, 200);
    assert.deepEqual(
      arms.map(({ name }) => name),
      ['teacher', 'student', 'noise', 'real'],
    );
    assert.equal(arms[1]?.accuracy, metrics['studentAccuracy']);
    assert.equal(arms[1]?.calibrationError, metrics['calibrationError']);
  });

  it('store images, targets, logits, classes and scales as numbers', () => {
    const files = unzipSync(artifactBytes(whole, 'impressions'));
    assert.deepEqual(Object.keys(files).toSorted(), [
      'classes.npy',
      'images.npy',
      'scales.npy',
      'targets.npy',
      'teacher_logits.npy',
    ]);
    const header = new TextDecoder('latin1').decode(files['images.npy']?.subarray(0, 128));
    assert.match(header, /'descr': '<f4'.*\(200, 1, 10, 10\)/);
  });

  it('show pictures by class, also before all are made', async () => {
    assert.deepEqual(
      [...artifactBytes(whole, 'impressions-grid').subarray(1, 4)].map((code) => String.fromCharCode(code)).join(''),
      'PNG',
    );
    const early = await ran({ params: { ...brief, lanes: 1 } }, { stopAt: (offer) => offer === 1 });
    assert.ok(early.artifacts.has('impressions-grid'));
  });

  it('move forward only, from nothing to all', () => {
    assert.deepEqual(
      whole.fractions,
      whole.fractions.toSorted((a, b) => a - b),
    );
    assert.ok((whole.fractions[0] ?? 1) < 0.2 && Math.abs((whole.fractions.at(-1) ?? 0) - 1) < 1e-9);
  });

  it('tell the loss of every step of every arm', () => {
    for (const name of ['student', 'noise', 'real']) {
      const steps = Object.keys(whole.series[`loss.${name}`] ?? {}).map(Number);
      assert.deepEqual(
        steps.toSorted((a, b) => a - b),
        [...Array(Math.ceil((200 * 15) / 32)).keys()],
        name,
      );
    }
    assert.equal(Object.keys(whole.series['synthesisLoss'] ?? {}).length, 4);
  });
});

describe('a run of data impressions', () => {
  it('gives the same bits for 1, 2 and 3 lanes and for any chunks', async () => {
    const one = outcome(await ran({ params: brief }));
    assert.deepEqual(outcome(await ran({ params: { ...brief, lanes: 2 }, msPerLook: 400 })), one);
    assert.deepEqual(outcome(await ran({ params: { ...brief, lanes: 3 }, msPerLook: 90 })), one);
    assert.notDeepEqual(outcome(await ran({ params: { ...brief, seed: 4 } })), one);
  });

  for (const [title, params, stops] of [
    ['', { lanes: 2 }, ['synthesis 0', 'synthesis 3', 'distillation 0', 'distillation 5']],
    [
      ', with a warm chain and selection by agreement',
      { warmStart: true, selection: 'agreement' },
      ['synthesis 4', 'distillation 6'],
    ],
  ] as const) {
    it(`goes on from a checkpoint of any phase to the same metrics and files${title}`, async () => {
      const given = { params: { ...brief, ...params }, msPerLook: 150 };
      const straight = await ran(given);
      for (const stop of stops) {
        const offers: Record<string, number> = {};
        const stopAt = (_: number, phase: string): boolean => {
          offers[phase] = (offers[phase] ?? -1) + 1;
          return `${phase} ${offers[phase]}` === stop;
        };
        const stopped = await ran(given, { stopAt });
        const { checkpoint } = stopped;
        assert.ok(checkpoint, stop);
        const resume: CheckpointState = { ...checkpoint, json: JSON.parse(JSON.stringify(checkpoint.json)) };
        const resumed = await ran({ ...given, msPerLook: 0, context: { resume } });
        assert.deepEqual(outcome(resumed), outcome(straight));
        assert.deepEqual(together(stopped, resumed), straight.series);
      }
    });
  }

  it('that is cancelled ends at its next safe point and can go on', async () => {
    const given = { params: brief, msPerLook: 150 };
    const straight = await ran(given);
    for (const at of [2, straight.checkpointCount - 3]) {
      await assert.rejects(ran(given, { cancelAt: (offer) => offer === at }), { name: 'AbortError' });
      const { checkpoint } = await ran(given, { stopAt: (offer) => offer === at });
      assert.deepEqual(outcome(await ran({ ...given, context: { resume: checkpoint } })), outcome(straight));
    }
  });

  it('says that it could not score the student when no test set is given', async () => {
    const alone = await ran({ params: brief, context: { data: {} } });
    assert.deepEqual(Object.keys(alone.metrics ?? {}).toSorted(), ['attained', 'excessLoss']);
    assert.ok(alone.logs.some((line) => line.startsWith('warning: No labelled test set')));
    assert.ok(alone.artifacts.has('student.onnx') && !alone.artifacts.has('evaluation'));
    assert.ok(!alone.artifacts.has('student-real.onnx'));
  });

  it('warns of a control with fewer real images than impressions', async () => {
    const few = { ...real, limit: 20 };
    const { logs } = await ran({ params: brief, context: { data: { test, real: few } } });
    assert.ok(
      logs.some((line) => /^warning: There are only 20 real images .* 30 impressions/.test(line)),
      logs.join('\n'),
    );
  });

  it('starts by way of the registry, which checks its parameters', async () => {
    const method = registry['data-impressions'] ?? assert.fail();
    await assert.rejects(
      method.start({ count: 'many', speed: 3 }, { ...plainContext(), models: {}, data: {} }),
      (error) =>
        error instanceof WorkbenchError && error.code === 'PARAM_INVALID' && /count: .*; .*speed/.test(error.message),
    );
    const steps = await method.start({}, { ...plainContext(), models: {}, data: {} });
    await assert.rejects(
      steps.next(),
      (error) => error instanceof WorkbenchError && /names no teacher/.test(error.message),
    );
  });
});
