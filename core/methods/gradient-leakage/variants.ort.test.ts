import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { tinyShapesSet } from '../../data/synthetic.ts';
import { artifactBytes, drive, plainContext, storeSet, temporaryFolder, type Driven } from '../testing/drive.ts';
import { AttacksData, type UnitResult } from './report-data.ts';
import { run } from './run.ts';
import { spec } from './spec.ts';

// One short attack for each thing that a victim or a client can be asked to do otherwise, through the whole method.

const dir = temporaryFolder({ after });
const images = await storeSet(dir, 'images', tinyShapesSet(1, 40, [1, 12, 12]));

const quiet = { labelBatches: 0, imprintBins: 0, closedForm: false, gallery: 10, history: 2, lanes: 1 };

async function audited(architecture: string, params: object): Promise<Driven> {
  return drive(run, {
    ...plainContext(),
    params: spec.params.parse({ ...quiet, runs: 1, steps: 12, seed: 3, ...params }),
    models: { victim: { kind: 'zoo', architecture } },
    data: { images },
    resume: undefined,
  });
}

const unitsOf = (driven: Driven): readonly UnitResult[] =>
  AttacksData.parse(JSON.parse(artifactBytes(driven, 'attacks').toString())).units;

async function only(architecture: string, params: object): Promise<UnitResult> {
  const [unit] = unitsOf(await audited(architecture, params));
  assert.ok(unit);
  return unit;
}

const errorOf = ({ images: [first] }: UnitResult): number => first?.mse ?? Infinity;

describe('an attack on the update of local steps', () => {
  const local = { weights: 'uniform', localRate: 0.01, steps: 40 };
  it('recovers image and label after three steps on the same image', async () => {
    const unit = await only('lenet-zhu', { ...local, localSteps: 3 });
    assert.equal(unit.labelOverlap, 1);
    assert.ok(errorOf(unit) < 1e-3, String(errorOf(unit)));
  });
  it('recovers two images after two passes over them, one a step', async () => {
    const unit = await only('lenet-zhu', {
      ...local,
      localSteps: 4,
      localBatchSize: 1,
      batchSize: 2,
      labelChoice: 'distinct',
    });
    assert.equal(unit.labelOverlap, 1);
    assert.ok(
      unit.images.every(({ mse, identified }) => (mse ?? 1) < 0.03 && identified),
      JSON.stringify(unit.images),
    );
  });
  it('is refused where the local batch does not divide the images', async () => {
    await assert.rejects(only('lenet-zhu', { ...local, localSteps: 2, localBatchSize: 2, batchSize: 3 }), {
      code: 'PARAM_INVALID',
      message: /do not divide 3 images/,
    });
  });
});

describe('batch norm', () => {
  const inverting = {
    attack: 'inverting-gradients',
    weights: 'torch-default',
    labelSource: 'known',
    steps: 4,
    batchSize: 2,
  };
  it('with running statistics and with those of the batch gives gradients of its own, attacked alike', async () => {
    const [fixed, own] = [
      await only('resnet20', { ...inverting, batchNorm: 'eval' }),
      await only('resnet20', { ...inverting, batchNorm: 'train' }),
    ];
    for (const unit of [fixed, own]) {
      assert.equal(unit.failure, null);
      assert.ok((unit.distance ?? 9) < 0.95, String(unit.distance));
    }
    assert.ok(Math.abs(fixed.norm / own.norm - 1) > 0.01, `${fixed.norm}, ${own.norm}`);
  });
});

describe('another activation', () => {
  for (const activation of ['sigmoid', 'tanh', 'softplus'] as const) {
    it(`of LeNet(Zhu) gives its image back as well: ${activation}`, async () => {
      const unit = await only('lenet-zhu', { weights: 'uniform', initBound: 0.2, activation, steps: 60 });
      assert.ok(errorOf(unit) < 1e-2, String(errorOf(unit)));
    });
  }
  it('that has no second slope is known to fail, and the run says what it reached', async () => {
    const unit = await only('lenet-zhu', { weights: 'uniform', activation: 'relu', steps: 10 });
    assert.ok(errorOf(unit) > 1e-2);
    assert.ok(unit.ends.length === 1 && unit.distance !== null);
  });
});

describe('weights', () => {
  it('are drawn by the rule asked for, anew for each run or once for all', async () => {
    const losses = async (params: object): Promise<readonly (number | null)[]> =>
      unitsOf(await audited('lenet-zhu', { runs: 2, steps: 1, labelChoice: 'repeated', ...params })).map(
        ({ loss }) => loss,
      );
    const uniform = await losses({ weights: 'uniform' });
    const wide = await losses({ weights: 'uniform', initBound: 1 });
    const torch = await losses({ weights: 'torch-default' });
    assert.equal(new Set([uniform[0], wide[0], torch[0]]).size, 3);
    // Scales of 1/√fanIn leave the logits of four classes near each other.
    assert.ok(Math.abs((torch[0] ?? 0) - Math.log(4)) < 0.3, String(torch[0]));
    assert.deepEqual(await losses({ weights: 'uniform' }), uniform);
    const once = await losses({ weights: 'uniform', netPerRun: false });
    assert.equal(once[0], uniform[0]);
    assert.notEqual(once[1], uniform[1]);
  });
});

describe('a step rate that is far too large', () => {
  it('ends as diverged, keeps the best iterate, and counts restart and run', async () => {
    const rough = { weights: 'uniform', activation: 'relu', learningRate: 100, restarts: 2, steps: 5 };
    const driven = await audited('lenet-zhu', rough);
    const [unit] = unitsOf(driven);
    assert.deepEqual(unit?.ends, ['diverged', 'diverged']);
    assert.ok(unit.distance !== null && unit.images.every(({ mse }) => mse !== null));
    assert.equal(driven.metrics?.['failures'], 1);
    assert.match(driven.logs.join('\n'), /2 of 2 restarts diverged; the best iterate before that is kept/);
  });
});
