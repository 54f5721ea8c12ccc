import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { WorkbenchError } from '../../base/errors.ts';
import { float32 } from '../../base/tensor.ts';
import type { ModelRef } from '../../contract/run.ts';
import { tinyShapes, tinyShapesSet } from '../../data/synthetic.ts';
import { npzBytes } from '../../data/write.ts';
import { openClient } from '../../leakage/victim-gradient.ts';
import { openVictim, type Victim } from '../../leakage/victim.ts';
import { renderReport } from '../../report/html.ts';
import { sampleFacts } from '../../report/fixture/sample.ts';
import { reportSarif } from '../../report/sarif.ts';
import { sarifErrors } from '../../report/testing/sarif-schema.ts';
import { openModel } from '../../train/models.ts';
import type { ReportInput } from '../define.ts';
import {
  artifactBytes,
  drive,
  plainContext,
  storeSet,
  temporaryFolder,
  type Driven,
  type DriveOptions,
} from '../testing/drive.ts';
import {
  AttacksData,
  ClosedFileData,
  ClosedFormData,
  GradientFileData,
  LabelTableData,
  PreflightData,
  TradeoffData,
} from './report-data.ts';
import { report } from './report.ts';
import { run } from './run.ts';
import { spec } from './spec.ts';

const dir = temporaryFolder({ after });
const shape = [1, 12, 12] as const;
const data = {
  images: await storeSet(dir, 'images', tinyShapesSet(1, 80, shape)),
  public: await storeSet(dir, 'public', tinyShapesSet(2, 120, shape)),
};
const zoo = (architecture: string): ModelRef => ({ kind: 'zoo', architecture });

interface Given {
  readonly params?: object;
  readonly model?: string;
  readonly data?: Partial<typeof data>;
  readonly resume?: Driven['checkpoint'];
  /** Of each look at the clock. */
  readonly ms?: number;
}

const small = {
  runs: 2,
  steps: 25,
  weights: 'uniform',
  labelBatches: 2,
  labelBatchSizes: [1, 4],
  imprintBins: 16,
  imprintBatchSize: 4,
  gallery: 40,
  history: 4,
  lanes: 1,
  seed: 3,
};

const audited = (given: Given = {}, options: DriveOptions = {}): Promise<Driven> =>
  drive(
    run,
    {
      ...plainContext(given.ms ?? 0),
      params: spec.params.parse({ ...small, ...given.params }),
      models: { victim: zoo(given.model ?? 'lenet-zhu') },
      data: { ...(given.data ?? data) },
      resume: given.resume,
    },
    options,
  );

const jsonOf = (driven: Driven, name: string): unknown => JSON.parse(artifactBytes(driven, name).toString());

const inputOf = (driven: Driven, params: object): ReportInput => ({
  params: spec.params.parse({ ...small, ...params }),
  metrics: driven.metrics ?? {},
  series: Object.fromEntries(
    Object.entries(driven.series).map(([name, points]) => [
      name,
      Object.entries(points).map(([step, value]) => ({ name, step: Number(step), value })),
    ]),
  ),
  json: (name) => (driven.artifacts.has(name) ? jsonOf(driven, name) : undefined),
  image: (name) =>
    driven.artifacts.has(name) ? `data:image/png;base64,${artifactBytes(driven, name).toString('base64')}` : undefined,
  artifactNames: [...driven.artifacts.keys()],
});

describe('a leakage audit of LeNet(Zhu)', () => {
  const params = { defences: ['prune:0.9', 'dp-sgd:1:1'], tradeoffSteps: 10, tradeoffBatchSize: 8, steps: 14 };
  const whole = audited({ params });

  it('recovers images and labels, and says what defences cost and buy', async () => {
    const driven = await whole;
    const { units, figures } = AttacksData.parse(jsonOf(driven, 'attacks'));
    assert.deepEqual(
      units.map(({ id }) => id),
      [
        '0.plain.0',
        '0.plain.1',
        '1.plain.0',
        '1.plain.1',
        '1.adapted.0',
        '1.adapted.1',
        '2.plain.0',
        '2.plain.1',
        '2.adapted.0',
        '2.adapted.1',
      ],
    );
    assert.deepEqual(
      figures.map(({ title }) => title),
      ['none', 'pruning 90 %', 'DP-SGD, norm 1, noise multiplier 1'],
    );
    assert.equal(driven.metrics?.['success'], 1);
    assert.equal(driven.metrics?.['labelAccuracy'], 1);
    assert.equal(driven.metrics?.['identified'], 1);
    const far = units.find(({ defence }) => defence === 2)?.images[0]?.featureMse ?? 0;
    const near = units[0]?.images[0]?.featureMse ?? Infinity;
    assert.ok(near < 0.01 && far > 100 * near, `logits of ${near} and ${far}`);
    assert.ok((driven.metrics?.['bestDefendedSuccess'] ?? 1) < 1);
    const tradeoff = TradeoffData.parse(jsonOf(driven, 'trade-off'));
    assert.equal(tradeoff.rows.length, 3);
    assert.ok((tradeoff.rows[2]?.epsilon ?? 0) > 0 && tradeoff.rows[0]?.epsilon === null);
  });
  it('tells what recovers labels, what comes back in closed form, and what could be expected', async () => {
    const driven = await whole;
    const labels = LabelTableData.parse(jsonOf(driven, 'label-table'));
    assert.deepEqual(
      labels.rows.map(({ network, batchSize, kind }) => `${network} ${batchSize} ${kind}`),
      ['fresh', 'after 10 training steps'].flatMap((network) =>
        ['1 as they come', '4 as they come', '4 distinct', '4 one class'].map((rest) => `${network} ${rest}`),
      ),
    );
    const single = labels.rows[0]?.rules.filter(({ rule }) => ['L1', 'L1-sign', 'L2', 'L6'].includes(rule));
    assert.ok(single?.every(({ overlap }) => overlap === 1));
    const closed = ClosedFormData.parse(jsonOf(driven, 'closed-form'));
    assert.deepEqual(
      closed.rows.map(({ way }) => way.slice(0, 2)),
      ['A4', 'A3'],
    );
    assert.equal(closed.rows[0]?.exact, 2);
    const ahead = PreflightData.parse(jsonOf(driven, 'preflight'));
    assert.equal(ahead.norms.length, 2);
    assert.equal(ahead.vanished, 0);
  });
  it('is a report that shows the way of the images without scripts', async () => {
    const document = report(inputOf(await whole, params));
    assert.match(document.conclusion, /^From one gradient, iDLG recovered 100\.0 % \(2 of 2\) of the images/);
    const blocks = document.sections.flatMap((section) => section.blocks);
    assert.equal(blocks.filter((block) => block.kind === 'image' && block.film).length, 3);
    for (const title of [
      'Overlap by rule',
      'What a defence costs and buys',
      'Share of images recovered, by how close',
      'How the attacks ended',
      'Every attack',
    ]) {
      assert.ok(
        blocks.some((block) => 'title' in block && block.title === title),
        title,
      );
    }
    assert.ok(document.findings?.some(({ id, level }) => id === 'gradient-leakage-images' && level === 'error'));
    assert.deepEqual(sarifErrors(reportSarif(document, sampleFacts)), []);
    assert.match(renderReport(document, sampleFacts), /class="film"/);
  });
});

it('a leakage audit goes on from a checkpoint, in the middle of an attack too, to the same bits', async () => {
  const params = { steps: 6, defences: ['gaussian:0.01'], tradeoffSteps: 4, tradeoffBatchSize: 4, labelBatches: 1 };
  const straight = await audited({ params });
  for (const at of ['trade-off', 'labels', 'attacks']) {
    let seen = 0;
    const stopAt = (_: number, phase: string): boolean => phase === at && ++seen === (at === 'attacks' ? 9 : 2);
    const half = await audited({ params, ms: 500 }, { stopAt });
    assert.ok(half.checkpoint, `stopped in ${at}`);
    const rest = await audited({ params, resume: half.checkpoint });
    for (const name of ['attacks', 'label-table', 'trade-off', 'closed-form']) {
      assert.deepEqual(jsonOf(rest, name), jsonOf(straight, name), `${name} after a stop in ${at}`);
    }
    for (const name of ['pictures-0.png', 'pictures-1.png']) {
      assert.ok(artifactBytes(rest, name).equals(artifactBytes(straight, name)), name);
    }
  }
});

describe('a leakage audit', () => {
  it('ends within a step when it is told to', async () => {
    let offers = 0;
    await assert.rejects(
      audited(
        { params: { labelBatches: 0, imprintBins: 0, closedForm: false } },
        { cancelAt: (offer) => (offers = offer) === 3 },
      ),
      { name: 'AbortError' },
    );
    assert.equal(offers, 3);
  });
  it('guesses labels with images in DLG, and keeps the best iterate of what diverges', async () => {
    const driven = await audited({
      params: { attack: 'dlg', learningRate: 30, steps: 8, labelBatches: 0, imprintBins: 0, closedForm: false },
    });
    const { units } = AttacksData.parse(jsonOf(driven, 'attacks'));
    assert.ok(units.every(({ labelRule, images }) => labelRule === 'joint' && images.length === 1));
    assert.ok(units.every(({ ends }) => ends.length === 1));
    assert.ok(typeof driven.metrics?.['failures'] === 'number');
  });
  it('attacks batches with Adam in the space of normalised images, and updates after local steps', async () => {
    const driven = await audited({
      params: {
        attack: 'inverting-gradients',
        steps: 6,
        batchSize: 2,
        localSteps: 2,
        labelChoice: 'distinct',
        runs: 1,
        labelBatches: 0,
        imprintBins: 0,
        restarts: 2,
      },
    });
    const { units } = AttacksData.parse(jsonOf(driven, 'attacks'));
    assert.equal(units[0]?.images.length, 2);
    assert.equal(new Set(units[0]?.trueLabels).size, 2);
    assert.equal(units[0]?.ends.length, 2);
    assert.equal(units[0]?.labelOverlap, 1);
  });
  it('only looks ahead where that is asked for, and warns of what cannot be expected', async () => {
    const driven = await audited({
      params: { onlyPreflight: true, batchSize: 16, labelChoice: 'repeated' },
      model: 'lenet5',
      data: { images: data.images },
    });
    assert.deepEqual([...driven.artifacts.keys()], ['preflight']);
    const said = driven.logs.join('\n');
    assert.match(said, /ReLU and max pooling/);
    assert.match(said, /batch of 16 is large/);
    assert.match(said, /larger than the 4 classes/);
    assert.match(said, /one label/);
    assert.ok((PreflightData.parse(jsonOf(driven, 'preflight')).likelyMs ?? 0) >= 0);
  });
  it('counts gradients that vanished as failures, and guesses nothing', async () => {
    const driven = await audited({
      params: { initBound: 10, labelBatches: 1, labelBatchSizes: [1], imprintBins: 0, steps: 3, runs: 4 },
      model: 'mlp',
    });
    const { units } = AttacksData.parse(jsonOf(driven, 'attacks'));
    const gone = units.filter(({ norm }) => norm < 1e-12);
    assert.ok(gone.length > 0, 'some gradients vanish with weights from U(−10, 10)');
    assert.ok(gone.every(({ failure, images }) => failure?.includes('vanished') && images[0]?.mse === null));
    assert.match(driven.logs.join('\n'), /gradients vanished/);
  });
  it('refuses DP-SGD where batch norm mixes the examples', async () => {
    await assert.rejects(audited({ params: { defences: ['dp-sgd:1:1'], batchNorm: 'train' }, model: 'resnet20' }), {
      code: 'MODEL_UNSUITABLE',
      message: /no gradient of one example/,
    });
  });
  it('refuses what is no defence, with what was expected', () => {
    const parsed = spec.params.safeParse({ defences: ['gaussian', 'prune:2', 'magic'] });
    assert.deepEqual(
      parsed.error?.issues.map(({ message }) => message),
      [
        '"gaussian": expected gaussian:VARIANCE',
        '"prune:2": expected a fraction from 0 to 0.9999',
        '"magic": expected one of gaussian, laplace, clip, prune, prune-global, float16, bfloat16, int8, sign, dp-sgd',
      ],
    );
  });
});

describe('a gradient from a file', () => {
  const model = openModel(zoo('lenet-zhu'), 'victim', { shape, classes: 4, seed: 3 });
  const victimAt = async (): Promise<Victim> =>
    openVictim(await model, { weights: { kind: 'uniform', bound: 0.5, seed: 3 } });
  const write = async (
    change: (tensors: Record<string, ReturnType<typeof float32>>) => void,
    labels: readonly number[] = [2],
  ): Promise<string> => {
    const options = { batchSize: labels.length, session: { device: 'cpu', threads: 1 } } as const;
    const client = await openClient(await victimAt(), options);
    const images = float32([labels.length, ...shape], tinyShapes(5, labels.length, shape, 4).images);
    const { shared } = await client.share(images, labels);
    await client.close();
    const tensors = { ...shared.tensors };
    change(tensors);
    const path = join(dir, 'gradient.npz');
    writeFileSync(path, npzBytes(tensors));
    return path;
  };
  const attackFile = (path: string, more: object = {}): Promise<Driven> =>
    audited({ params: { gradientFile: path, steps: 4, ...more } });

  it('is attacked without a score', async () => {
    const driven = await attackFile(await write(() => {}));
    const { units, figures } = AttacksData.parse(jsonOf(driven, 'attacks'));
    assert.deepEqual([units.length, units[0]?.labels, units[0]?.trueLabels], [1, [2], null]);
    assert.equal(figures[0]?.success, null);
    const document = report(inputOf(driven, {}));
    assert.match(document.conclusion, /cannot be scored. It tells the labels .* \(by L2\)/);
    assert.ok(document.sections.some(({ title }) => title === 'The gradient of the file'));
  });
  it('gives its image back by formula, held against the file itself', async () => {
    const driven = await attackFile(await write(() => {}), { attack: 'none' });
    const { rows } = ClosedFileData.parse(jsonOf(driven, 'closed-form-file'));
    assert.deepEqual(
      rows.map(({ way, count }) => [way.slice(0, 2), count]),
      [['A4', 1]],
    );
    assert.ok((rows[0]?.distance ?? 1) < 1e-2, String(rows[0]?.distance));
    assert.ok(driven.artifacts.has('closed-form.png'));
    const blocks = report(inputOf(driven, {})).sections.flatMap((section) => section.blocks);
    assert.ok(blocks.some((block) => block.kind === 'image' && block.title.startsWith('What came back')));
  });
  it('of a batch of unknown size is counted where that is asked for, and refused where more images must be behind it', async () => {
    const path = await write(() => {}, [0, 1, 3, 3]);
    const counted = await attackFile(path, { estimateBatchSize: true });
    const file = GradientFileData.parse(jsonOf(counted, 'gradient-file'));
    assert.deepEqual([file.batchSize, file.isCounted], [4, true]);
    assert.deepEqual(AttacksData.parse(jsonOf(counted, 'attacks')).units[0]?.labels, [0, 1, 3, 3]);
    assert.match(counted.logs.join('\n'), /Batch of 4, counted from the gradient/);
    await assert.rejects(attackFile(path), (error: WorkbenchError) => {
      assert.match(error.message, /gradient of at least [34] images, expected a batch of 1/);
      assert.match(error.hint ?? '', /--batch-size/);
      return true;
    });
    await assert.rejects(attackFile('', { estimateBatchSize: true }), { code: 'PARAM_INVALID' });
  });
  it('of another model, with NaN, or all zeros is refused with every reason', async () => {
    const other = await write((tensors) => {
      delete tensors[Object.keys(tensors)[0] ?? ''];
      tensors['alien'] = float32([1], [1]);
    });
    await assert.rejects(attackFile(other), { code: 'DATA_UNSUITABLE', message: /missing.*"alien" is no parameter/ });
    const broken = await write((tensors) => {
      const [name = ''] = Object.keys(tensors);
      tensors[name] = { ...tensors[name]!, data: tensors[name]!.data.map(() => Number.NaN) };
    });
    await assert.rejects(attackFile(broken), { code: 'DATA_UNSUITABLE', message: /NaN/ });
    const zero = await write((tensors) => {
      for (const name of Object.keys(tensors))
        tensors[name] = { ...tensors[name]!, data: tensors[name]!.data.map(() => 0) };
    });
    await assert.rejects(attackFile(zero), { code: 'DATA_UNSUITABLE', message: /gradient vanished/ });
  });
});
