import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openModel } from '../../train/models.ts';
import { batchItems, take, victimOf, type Params } from './inputs.ts';
import { attackSettings, defencesOf, labelsForAttack, publicFigures, scaledToNorm } from './settings.ts';
import { openSharing, weightsOf } from './sharing.ts';
import { spec } from './spec.ts';
import { unitsOf } from './attack-unit.ts';

const parsed = (params: object): Params => spec.params.parse(params);
const shape = [2, 4, 4] as const;
const images = Float32Array.from({ length: 3 * 32 }, (_, i) => ((i * 7) % 11) / 11);
const figures = publicFigures({ title: 'public', count: 3, images, labels: undefined }, shape);

describe('the settings of an attack', () => {
  it('are the published ones where nothing else is asked for', () => {
    const idlg = attackSettings(parsed({}), 'idlg', [3], 1000, figures);
    assert.deepEqual(
      [idlg.optimiser, idlg.learningRate, idlg.distance.kind, idlg.stopBelow, idlg.isBoxed, idlg.space],
      ['lbfgs', 1, 'l2', 1e-6, false, undefined],
    );
    const inverting = attackSettings(parsed({ steps: 4800 }), 'inverting-gradients', [3], 1000, figures);
    assert.deepEqual(
      [inverting.optimiser, inverting.steps, inverting.distance.kind, inverting.isBoxed, inverting.space],
      ['signed-adam', 4800, 'cosine', true, figures.space],
    );
  });
  it('change one by one, as every option asks', () => {
    const changed = attackSettings(
      parsed({
        distance: 'l1',
        layerWeights: 'linear',
        optimiser: 'adam',
        learningRate: 0.5,
        totalVariation: 0.2,
        batchNormPrior: 0.3,
        groupPrior: 0.4,
        registration: 'none',
        start: 'zeros',
        box: 'on',
        space: 'normalised',
        stopBelow: 0.01,
        stopEvery: 5,
        restarts: 3,
        steps: 7,
        localSteps: 2,
        localRate: 0.01,
      }),
      'idlg',
      'joint',
      5,
      figures,
    );
    assert.deepEqual(changed.distance, { kind: 'l1', layerWeights: 'linear' });
    assert.deepEqual(changed.priors, { totalVariation: 0.2, batchNorm: 0.3, group: 0.4 });
    assert.equal(changed.registration, 'none');
    assert.deepEqual(changed.local, { steps: 2, learningRate: 0.01 });
    const { optimiser, learningRate, start, isBoxed, stopBelow, stopEvery, restarts, steps, labels, space } = changed;
    assert.deepEqual(
      [optimiser, learningRate, start, isBoxed, stopBelow, stopEvery, restarts, steps, labels, space],
      ['adam', 0.5, 'zeros', true, 0.01, 5, 3, 7, 'joint', figures.space],
    );
  });
  it('leave the group of see-through out where L-BFGS takes its place', () => {
    const group = (more: object): unknown =>
      attackSettings(parsed({ restarts: 2, ...more }), 'see-through', [3], 0, figures).priors?.group;
    assert.deepEqual([{}, { optimiser: 'lbfgs' }, { groupPrior: 0.3 }].map(group), [0.01, 0, 0.3]);
  });
  it('take squared distances relative to the norm of a small gradient only', () => {
    const base = attackSettings(parsed({}), 'idlg', [3], 0, undefined);
    assert.equal(scaledToNorm(base, 20, parsed({})), base);
    assert.equal(scaledToNorm(base, 0.1, parsed({ relative: false })), base);
    assert.equal(scaledToNorm(base, 0.1, parsed({})).scale, 1 / (0.1 * 0.1));
    const cosine = attackSettings(parsed({ distance: 'cosine' }), 'idlg', [3], 0, undefined);
    assert.equal(scaledToNorm(cosine, 0.1, parsed({})), cosine);
  });
  it('start from mean and deviation of the public images, by channel', () => {
    const channel = (c: number): number[] => [...images].filter((_, i) => Math.floor((i % 32) / 16) === c);
    const mean = channel(1).reduce((a, b) => a + b, 0) / 48;
    assert.ok(Math.abs((figures.space.mean[1] ?? 0) - mean) < 1e-6);
    const variance = channel(1).reduce((sum, v) => sum + (v - mean) ** 2, 0) / 48;
    assert.ok(Math.abs((figures.space.std[1] ?? 0) - Math.sqrt(variance)) < 1e-6);
  });
});

describe('the units of a run', () => {
  it('are no defence once, and each defence plainly and by somebody who knows it', () => {
    const params = parsed({ runs: 1, defences: ['float16', 'clip:1', 'prune-global:0.5', 'dp-sgd:2:0.5'] });
    assert.deepEqual(defencesOf(params), [
      { kind: 'none' },
      { kind: 'float16' },
      { kind: 'clip', norm: 1 },
      { kind: 'prune', fraction: 0.5, scope: 'global' },
      { kind: 'dp-sgd', norm: 2, multiplier: 0.5 },
    ]);
    assert.deepEqual(
      unitsOf(params, defencesOf(params)).map(({ id }) => id),
      ['0.plain.0', '1.plain.0', '2.plain.0', '2.adapted.0', '3.plain.0', '3.adapted.0', '4.plain.0', '4.adapted.0'],
    );
    const naive = unitsOf(parsed({ runs: 1, defences: ['clip:1'], adaptive: false }), [
      { kind: 'none' },
      { kind: 'clip', norm: 1 },
    ]);
    assert.deepEqual(
      naive.map(({ variant }) => variant),
      ['plain', 'plain'],
    );
  });
});

describe('batches', () => {
  const labels = [0, 1, 2, 0, 1, 2, 0, 1];
  it('come in the order of the set, all different, or of one class', () => {
    assert.deepEqual(batchItems(labels, 'random', 3, 1, 0), [3, 4, 5]);
    assert.deepEqual(batchItems(labels, 'random', 1, 6, 0), [6]);
    const distinct = batchItems(labels, 'distinct', 3, 0, 0).map((item) => labels[item]);
    assert.equal(new Set(distinct).size, 3);
    const repeated = batchItems(labels, 'repeated', 2, 0, 0).map((item) => labels[item]);
    assert.equal(new Set(repeated).size, 1);
    assert.throws(() => batchItems(labels, 'distinct', 4, 0, 0), { code: 'DATA_UNSUITABLE' });
  });
});

describe('the labels of an attack', () => {
  it('are known, recovered by the rule asked for, or left to the attack', async () => {
    const model = await openModel({ kind: 'zoo', architecture: 'lenet-zhu' }, 'victim', {
      shape: [1, 12, 12],
      classes: 4,
      seed: 0,
    });
    const params = parsed({ weights: 'uniform' });
    const victim = victimOf(model, params, 0);
    const sharing = openSharing(victim, { device: 'cpu', threads: 1 });
    const own = { title: 'own', count: 1, images: new Float32Array(144).fill(0.3), labels: Int32Array.of(2) };
    const batch = take(own, [0], victim.shape);
    const { shared } = await sharing.share(batch.images, batch.labels, weightsOf(victim));
    await sharing.close();
    const labelled = (more: object): string => {
      const { labels, rule } = labelsForAttack(parsed({ weights: 'uniform', ...more }), victim, shared, [2], {
        batchSize: 1,
      });
      return `${rule}: ${String(labels)}`;
    };
    assert.deepEqual(
      [{}, { labelSource: 'L1' }, { labelSource: 'known' }, { labelSource: 'joint' }, { attack: 'dlg' }].map(labelled),
      ['L2: 2', 'L1: 2', 'known: 2', 'joint: joint', 'joint: joint'],
    );
    const headless = labelsForAttack(params, { ...victim, head: undefined }, shared, [2], { batchSize: 1 });
    assert.equal(headless.labels, 'joint');
    assert.match(headless.notes.join(), /does not end in a linear layer/);
  });
});
