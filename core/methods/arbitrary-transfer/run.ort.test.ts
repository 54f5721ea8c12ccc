import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import type { z } from 'zod';
import { float32 } from '../../base/tensor.ts';
import type { DataRef, ModelRef } from '../../contract/run.ts';
import { memorySet } from '../../data/dataset.ts';
import { tinyShapes, tinyShapesSet } from '../../data/synthetic.ts';
import { EvaluationData } from '../../report/evaluation.ts';
import { withParameters } from '../../train/parameters.ts';
import { storeModel, tinyClasses, tinyNet, tinyShape, trainedOnShapes } from '../../train/testing/tiny-teacher.ts';
import type { RunContext } from '../context.ts';
import type { ParamsOf, ReportInput } from '../define.ts';
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
import { BalanceData, report, TransferSetsData } from './report.ts';
import { run } from './run.ts';
import { spec } from './spec.ts';

type Params = ParamsOf<typeof spec>;

const dir = temporaryFolder({ after });
const trained = await trainedOnShapes(tinyNet());
const teacher: ModelRef = { kind: 'file', path: storeModel(dir, 'teacher.onnx', trained) };
const test = await storeSet(dir, 'test', tinyShapesSet(2, 200, tinyShape));
const real = await storeSet(dir, 'real', tinyShapesSet(3, 300, tinyShape));
/** The same drawings and six others, larger and in colour: another kind of image that holds all of the classes. */
const pool = await storeSet(dir, 'pool', tinyShapesSet(4, 600, [3, 14, 14], 10));

const quick = { count: 200, epochs: 30, batchSize: 32, learningRate: 0.01, augmentShift: 1, lanes: 1, seed: 3 };
/** As little as has every phase. */
const brief = { count: 24, epochs: 2, batchSize: 16, lanes: 1, maxScan: 300 };

interface Given {
  readonly params?: Partial<Params>;
  readonly models?: Record<string, ModelRef>;
  readonly data?: Record<string, DataRef>;
  readonly context?: Partial<RunContext<Params>>;
  readonly msPerLook?: number;
}

const contextOf = ({ params, models, data, context, msPerLook = 0 }: Given): Omit<RunContext<Params>, 'signal'> => ({
  ...plainContext(msPerLook),
  params: spec.params.parse({ ...quick, ...params }),
  models: { teacher, student: { kind: 'zoo', architecture: 'mlp' }, ...models },
  data: data ?? { test, pool },
  ...context,
});

const ran = (given: Given = {}, options: DriveOptions = {}): Promise<Driven> => drive(run, contextOf(given), options);

/** A run that is driven by hand. */
const startBare = (given: Given, signal: AbortSignal): ReturnType<typeof run> => run({ ...contextOf(given), signal });

const json = (driven: Driven, name: string): unknown => JSON.parse(artifactBytes(driven, name).toString());
const setsOf = (driven: Driven): z.infer<typeof TransferSetsData> =>
  TransferSetsData.parse(json(driven, 'transfer-sets'));
const warnings = (driven: Driven): string => driven.logs.filter((line) => line.startsWith('warning')).join('\n');

/** Mostly horizontal bars: what a balanced set has to search for the rest in. */
function lopsided(count: number): ReturnType<typeof memorySet> {
  const { images } = tinyShapes(5, 4 * count, tinyShape, tinyClasses);
  const size = images.length / (4 * count);
  const chosen = Array.from({ length: count }, (_, i) => (i % 20 < 17 ? 4 * i : 4 * i + (i % 20) - 16));
  const out = new Float32Array(count * size);
  chosen.forEach((from, to) => out.set(images.subarray(from * size, (from + 1) * size), to * size));
  return memorySet({ title: 'lopsided', images: out, shape: tinyShape });
}

describe('a student of an arbitrary transfer set', () => {
  it('learns from images of another size and colour what the teacher knows', async () => {
    const result = await ran({ data: { test, pool, real } });
    const { balancedAccuracy, unbalancedAccuracy, realAccuracy, teacherAccuracy } = result.metrics ?? {};
    assert.ok((teacherAccuracy ?? 0) > 0.97);
    assert.ok((balancedAccuracy ?? 0) > 0.75, `balanced ${balancedAccuracy}`);
    assert.ok((realAccuracy ?? 0) > 0.9, `real ${realAccuracy}`);
    assert.equal(result.metrics?.['balanceGain'], (balancedAccuracy ?? 0) - (unbalancedAccuracy ?? 0));
    const sets = setsOf(result);
    assert.deepEqual(sets.repeats[0]?.balanced.histogram, [50, 50, 50, 50]);
    assert.equal(sets.repeats[0]?.unbalanced.count, 200);
    assert.equal(sets.pool.size, 600);
    const names = EvaluationData.parse(json(result, 'evaluation')).arms.map(({ name }) => name);
    assert.deepEqual(names, ['teacher', 'balanced', 'unbalanced', 'real']);
    assert.ok(result.fractions.every((fraction, i) => fraction <= 1 && fraction >= (result.fractions[i - 1] ?? 0)));
  });

  it('gains much by balance where the pool has little but one class', async () => {
    const data = { test, pool: await storeSet(dir, 'lopsided', lopsided(2000)) };
    const result = await ran({ data, params: { count: 160, epochs: 5, skew: 3 } });
    assert.ok((result.metrics?.['balanceGain'] ?? 0) > 0.2, `gain ${result.metrics?.['balanceGain']}`);
    assert.ok((result.metrics?.['balanceScore'] ?? 1) < 0.6);
    assert.ok((setsOf(result).repeats[0]?.unbalanced.histogram[0] ?? 0) > 120);
  });

  it('gives an interval of the difference from two repeats on', async () => {
    const result = await ran({ params: { ...brief, repeats: 2 } });
    const balance = BalanceData.parse(json(result, 'balance'));
    assert.deepEqual(
      balance.pairs.map(({ seed }) => seed),
      [3, 4],
    );
    const [low, high] = balance.interval ?? [1, -1];
    assert.ok(low <= balance.gain && balance.gain <= high);
    assert.ok(result.artifacts.has('student-balanced-2.onnx') && result.artifacts.has('transfer-sets-2.npz'));
  });

  it('says what each image was in an index that the data reader opens', async () => {
    const result = await ran({ params: brief });
    const bytes = artifactBytes(result, 'transfer-sets.npz').toString('latin1');
    for (const name of ['items', 'labels', 'confidence']) assert.ok(bytes.includes(`balanced_${name}.npy`));
    assert.equal(artifactBytes(result, 'transfer-grid').toString('latin1', 1, 4), 'PNG');
  });
});

describe('a pool that falls short', () => {
  it('ends the scan at its bound and says what is missing', async () => {
    const black = memorySet({ title: 'black', images: new Float32Array(40 * 100), shape: tinyShape });
    const result = await ran({ data: { test, pool: await storeSet(dir, 'black', black) }, params: brief });
    const [repeat] = setsOf(result).repeats;
    assert.equal(repeat?.scanned, 40);
    assert.equal(repeat?.balanced.distinct.filter((count) => count > 0).length, 1);
    assert.match(warnings(result), /teacher sees none of class .*, .*, /);
    assert.match(warnings(result), /fewer than 50 different images/);
    assert.equal(result.metrics?.['balanceScore'], 0);
  });

  it('bounds the scan of endless noise', async () => {
    const result = await ran({ data: { test }, params: { ...brief, source: 'uniform', maxScan: 64 } });
    assert.equal(setsOf(result).repeats[0]?.scanned, 64);
  });

  it('cuts both sets to one size with cap, and weighs with partial', async () => {
    const data = { test, pool: await storeSet(dir, 'lopsided-small', lopsided(200)) };
    for (const shortfall of ['cap', 'partial'] as const) {
      const [repeat] = setsOf(await ran({ data, params: { ...brief, count: 120, shortfall } })).repeats;
      assert.equal(repeat?.balanced.policy, shortfall);
      assert.equal(repeat.unbalanced.count, repeat.balanced.count);
      assert.ok(repeat.balanced.count < 120);
    }
  });

  it('uses images again when there are fewer than the set', async () => {
    const data = { test, pool: await storeSet(dir, 'few', tinyShapesSet(6, 12, tinyShape)) };
    const result = await ran({ data, params: brief });
    assert.equal(setsOf(result).repeats[0]?.unbalanced.count, 24);
    assert.match(warnings(result), /some are used several times/);
  });
});

describe('ablations of an arbitrary transfer set', () => {
  const cases: readonly Partial<Params>[] = [
    { filter: 'top-confidence', filterShare: 0.5 },
    { filter: 'low-entropy', filterShare: 0.5 },
    { filter: 'margin', filterShare: 0.5 },
    { softLabels: 'response' },
    { softLabels: 'hard' },
    { softWeight: 0.5 },
    { selection: 'agreement' },
    { controlShuffled: true },
    { source: 'mixed-noise' },
  ];
  for (const params of cases) {
    it(`run: ${JSON.stringify(params)}`, async () => {
      const data = params.source ? { test } : { test, pool };
      const result = await ran({ data, params: { ...brief, ...params } });
      assert.equal(typeof result.metrics?.['balancedAccuracy'], 'number');
      if (params.controlShuffled) assert.equal(typeof result.metrics?.['shuffledAccuracy'], 'number');
      if (params.selection) assert.equal(typeof result.metrics?.['heldOutAgreement'], 'number');
    });
  }

  it('keep the surest half of each class with a filter', async () => {
    const params = { ...brief, filter: 'top-confidence', filterShare: 0.5 } as const;
    const [repeat] = setsOf(await ran({ params })).repeats;
    assert.equal(repeat?.scanned, 300);
    assert.ok(Math.abs(repeat.accepted - 150) <= 2, `${repeat.accepted} accepted`);
    assert.ok(repeat.balanced.meanConfidence > repeat.meanConfidence);
  });
});

const twice = { params: { ...brief, repeats: 2, count: 40, source: 'shapes', maxScan: 1500 }, data: { test } } as const;
const straight = await ran(twice);

describe('a run of arbitrary transfer sets', () => {
  const isSame = async (stopAt: NonNullable<DriveOptions['stopAt']>, msPerLook = 400): Promise<Driven> => {
    const first = await ran({ ...twice, msPerLook }, { stopAt });
    assert.equal(first.metrics, undefined);
    const second = await ran({ ...twice, context: { resume: first.checkpoint } });
    assert.deepEqual(second.metrics, straight.metrics);
    for (const name of ['student-balanced.onnx', 'student-unbalanced-2.onnx', 'transfer-sets', 'transfer-sets-2.npz']) {
      assert.ok(artifactBytes(second, name).equals(artifactBytes(straight, name)), name);
    }
    return first;
  };

  it('goes on from any checkpoint of the scan to the same bits', async () => {
    const first = await isSame((offer) => offer === 0);
    assert.equal(first.checkpoint?.phase, 'scan');
  });

  it('goes on from the distillation to the same bits', async () => {
    const first = await isSame((offer, phase) => phase === 'distillation' && offer >= 6);
    assert.equal(first.checkpoint?.phase, 'distillation');
  });

  it('goes on from its last checkpoint to the evaluation', async () => {
    await isSame((offer) => offer === straight.checkpointCount - 1, 0);
  });

  it('is the same however many lanes there are', async () => {
    const result = await ran({ ...twice, params: { ...twice.params, lanes: 2 } });
    assert.deepEqual(result.metrics, straight.metrics);
    assert.ok(artifactBytes(result, 'student-balanced.onnx').equals(artifactBytes(straight, 'student-balanced.onnx')));
  });

  it('stops at the checkpoint after it was told to, in the scan and in the distillation', async () => {
    for (const offer of [0, 5]) {
      await assert.rejects(ran({ ...twice, msPerLook: 400 }, { cancelAt: (at) => at === offer }), {
        name: 'AbortError',
      });
    }
  });

  it('answers a cancel in the middle of a step with a checkpoint to go on from', async () => {
    for (const phase of ['scan', 'distillation']) {
      const stop = new AbortController();
      const steps = startBare(twice, stop.signal);
      for (;;) {
        const { value } = await steps.next();
        if ('type' in value && value.type === 'checkpoint' && value.capture().phase === phase) break;
      }
      const answer = steps.next();
      stop.abort();
      const { value } = await answer;
      assert.ok('type' in value && value.type === 'checkpoint', phase);
      const resume = structuredClone(value.capture());
      assert.equal(resume.phase, phase);
      await assert.rejects(steps.next(), { name: 'AbortError' });
      assert.deepEqual((await ran({ ...twice, context: { resume } })).metrics, straight.metrics);
    }
  });

  it('works without a test set, and says so', async () => {
    const result = await ran({ params: brief, data: {} });
    assert.match(warnings(result), /not scored/);
    assert.equal(result.metrics?.['balancedAccuracy'], undefined);
    assert.equal(typeof result.metrics?.['fillRate'], 'number');
  });
});

describe('bad input of arbitrary transfer sets', () => {
  it('is refused with what was expected', async () => {
    const many = await storeSet(dir, 'many', tinyShapesSet(1, 50, tinyShape, 10));
    const large = await storeSet(dir, 'large', tinyShapesSet(1, 50, [1, 16, 16]));
    const other: ModelRef = { kind: 'file', path: storeModel(dir, 'other.onnx', tinyNet({ classes: 7 })) };
    const cases: readonly [Given, string, RegExp][] = [
      [{ data: { test: many, pool } }, 'DATA_UNSUITABLE', /the model has 4 classes/],
      [{ data: { test: large, pool } }, 'DATA_UNSUITABLE', /16 × 16/],
      [{ data: { pool, real: large } }, 'DATA_UNSUITABLE', /16 × 16/],
      [
        { data: { test, pool: { path: `${dir}/nothing`, format: 'auto', split: 'all' } } },
        'DATA_UNREADABLE',
        /nothing/,
      ],
      [{ data: { test }, params: { source: 'data' } }, 'PARAM_INVALID', /no pool/],
      [{ models: { student: other } }, 'MODEL_UNSUITABLE', /7 classes, expected 4/],
      [{ models: { teacher: { kind: 'zoo', architecture: 'mlp' } } }, 'MODEL_UNSUITABLE', /trained model file/],
    ];
    for (const [given, code, message] of cases)
      await assert.rejects(ran({ ...given, params: { ...brief, ...given.params } }), { code, message });
  });

  it('names the first image to which the teacher’s answer is no number', async () => {
    const bias = trained.graph.initializers.get('fc2.bias');
    const huge = {
      'fc2.weight': float32([4, 32], new Float32Array(128).fill(3e38)),
      ...(bias ? { 'fc2.bias': bias } : {}),
    };
    const broken: ModelRef = { kind: 'file', path: storeModel(dir, 'huge.onnx', withParameters(trained, huge)) };
    await assert.rejects(ran({ models: { teacher: broken }, params: brief }), {
      code: 'MODEL_NOT_FINITE',
      message: /image \d+ of the pool/,
    });
  });

  it('includes parameters out of range or unknown', async () => {
    const start = registry[spec.id]?.start({ count: 3, tau: 4 }, { ...plainContext(), models: {}, data: {} });
    await assert.rejects(start ?? Promise.resolve(), { code: 'PARAM_INVALID', message: /count: .*tau/s });
  });

  it('includes a set too small for the classes', async () => {
    const wide: ModelRef = { kind: 'file', path: storeModel(dir, 'wide.onnx', tinyNet({ classes: 30 })) };
    await assert.rejects(ran({ models: { teacher: wide }, data: {}, params: { count: 20 } }), {
      code: 'PARAM_INVALID',
      message: /20 images cannot hold each of the 30 classes/,
    });
  });
});

describe('the report of arbitrary transfer sets', () => {
  const of = (driven: Driven, params: Partial<Params> = {}): ReportInput => ({
    params,
    metrics: driven.metrics ?? {},
    series: Object.fromEntries(
      Object.entries(driven.series).map(([name, points]) => [
        name,
        Object.entries(points).map(([step, value]) => ({ name, step: Number(step), value })),
      ]),
    ),
    json: (name) => (driven.artifacts.has(name) ? json(driven, name) : undefined),
    image: (name) => (driven.artifacts.has(name) ? 'data:image/png;base64,AAAA' : undefined),
    artifactNames: [...driven.artifacts.keys()],
  });

  it('leads with the difference that balance makes', async () => {
    const { conclusion, keyFigures, sections } = report(of(await ran({ params: { ...brief, repeats: 2 } })));
    assert.match(
      conclusion,
      /24 images of .*balanced.* recognises \d+\.\d % of 200 .*unbalanced.* points, 95 % interval/,
    );
    assert.deepEqual(
      keyFigures.slice(0, 3).map(({ label }) => label),
      ['Balanced', 'Unbalanced', 'Gain by balance'],
    );
    assert.deepEqual(
      sections.map(({ title }) => title),
      ['Balanced against unbalanced', 'Transfer sets', 'Students', 'Training', 'What this does and does not show'],
    );
  });

  it('is whole without a test set and without any artifact', async () => {
    assert.match(report(of(await ran({ params: brief, data: {} }))).conclusion, /not scored on real images/);
    const empty: Driven = {
      metrics: {},
      artifacts: new Map(),
      logs: [],
      series: {},
      tables: [],
      fractions: [],
      checkpointCount: 0,
      checkpoint: undefined,
    };
    assert.equal(report(of(empty)).sections.length, 1);
  });
});
