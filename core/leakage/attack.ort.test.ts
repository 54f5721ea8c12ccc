import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { float32, sizeOf } from '../base/tensor.ts';
import { meanSquaredError } from '../metrics/images.ts';
import { freshLbfgsState, lbfgsStep } from '../train/lbfgs.ts';
import { openAttack, type AttackOutcome, type AttackState } from './attack.ts';
import { presetIds, presetSettings } from './attack-presets.ts';
import type { AttackSettings } from './attack-settings.ts';
import { startKinds, startPixels } from './attack-start.ts';
import { openObjective } from './objective.ts';
import type { SharedGradients } from './victim-gradient.ts';
import type { Victim } from './victim.ts';
import { oneThread, shareOnce, someImages, zooVictim } from './testing/zoo-victim.ts';

const shape = [1, 8, 8] as const;
const presetCase = { batchSize: 1, labels: [4], seed: 1 } as const;

/** Runs an attack to its end, in chunks of `most`; after `breakAfter` of them it goes on from its captured state. */
async function attackWith(
  victim: Victim,
  shared: SharedGradients,
  settings: AttackSettings,
  { most = 20, breakAfter = Infinity } = {},
): Promise<AttackOutcome> {
  let state: AttackState = [];
  for (;;) {
    const attack = await openAttack(victim, shared, settings, oneThread, state);
    try {
      for (let chunk = 0; chunk < breakAfter; chunk++) {
        await attack.advance(most);
        if (attack.outcome) return attack.outcome;
      }
      state = structuredClone(attack.capture());
    } finally {
      await attack.close();
    }
  }
}

describe('an L-BFGS attack', () => {
  it('goes the way of PyTorch over the first 20 evaluations of DLG', async () => {
    // Made by bench/reference/leakage_fixtures.py.
    const trace = JSON.parse(readFileSync(new URL('./fixtures/dlg-trace.json', import.meta.url), 'utf8')) as {
      side: number;
      label: number;
      start: number;
      losses: number[];
    };
    const dims = [1, 1, trace.side, trace.side] as const;
    const scattered = (count: number, salt: number): number[] =>
      Array.from({ length: count }, (_, i) => Math.abs(Math.sin(12.9898 * (i + 1) + 78.233 * salt) * 43758.5453) % 1);
    const bell = (count: number, salt: number): number[] => {
      const parts = [0, 1, 2, 3].map((part) => scattered(count, salt + part));
      return Array.from(
        { length: count },
        (_, i) => Math.sqrt(3) * (parts.reduce((sum, part) => sum + (part[i] ?? 0), 0) - 2),
      );
    };
    const drawn = await zooVictim('lenet-zhu', { shape: [1, trace.side, trace.side] });
    const parameters = drawn.parameters.map((parameter, salt) => ({
      ...parameter,
      initial: float32(
        parameter.dims,
        scattered(sizeOf(parameter.dims), salt).map((x) => x - 0.5),
      ),
    }));
    const victim = { ...drawn, parameters };
    const shared = await shareOnce(victim, float32(dims, scattered(sizeOf(dims), 100)), [trace.label]);
    const settings = presetSettings('dlg', { ...presetCase });
    const objective = await openObjective(victim, shared, settings, oneThread);
    const losses: number[] = [];
    const start = Float64Array.from([...bell(sizeOf(dims), trace.start), ...bell(10, trace.start + 4)], Math.fround);
    await lbfgsStep(start, freshLbfgsState, async (x) => {
      const value = await objective.at(
        Float32Array.from(x.subarray(0, sizeOf(dims))),
        Float32Array.from(x.subarray(sizeOf(dims))),
      );
      losses.push(value.total);
      return { loss: value.total, gradient: Float64Array.from([...value.dPixels, ...(value.dLabelLogits ?? [])]) };
    });
    await objective.close();
    assert.equal(losses.length, trace.losses.length);
    losses.forEach((loss, i) => {
      const expected = trace.losses[i] ?? Number.NaN;
      assert.ok(Math.abs(loss - expected) <= 1e-4 * expected, `evaluation ${i}: ${loss}, PyTorch ${expected}`);
    });
  });

  const local = { steps: 2, learningRate: 0.01 };
  const ways: readonly (readonly [string, 'dlg' | 'idlg', Partial<AttackSettings>])[] = [
    ['dlg', 'dlg', {}],
    ['idlg', 'idlg', {}],
    ['with a line search', 'idlg', { optimiser: 'lbfgs-wolfe' }],
    ['from the update of two local steps', 'idlg', { local, scale: 1e4, stopBelow: 1e-5 }],
  ];
  for (const [name, id, changes] of ways) {
    it(`recovers a single image from LeNet(Zhu): ${name}`, async () => {
      const victim = await zooVictim('lenet-zhu', { shape });
      const images = someImages(1, 1, shape);
      const settings = { ...presetSettings(id, presetCase), steps: 60, stopEvery: 1, ...changes };
      const outcome = await attackWith(victim, await shareOnce(victim, images, [4], changes.local), settings);
      assert.deepEqual(outcome.labels, [4]);
      assert.equal(outcome.restarts[0]?.end, 'converged');
      assert.ok(outcome.distance * (settings.scale ?? 1) < 1e-5);
      assert.ok(meanSquaredError(outcome.images.data, images.data) < 1e-3);
    });
  }

  it('gives the same bits when it is taken up again from a captured state', async () => {
    const victim = await zooVictim('lenet-zhu', { shape });
    const shared = await shareOnce(victim, someImages(2, 1, shape), [4]);
    const settings = { ...presetSettings('dlg', presetCase), steps: 4, restarts: 2, stopBelow: 0 };
    const whole = await attackWith(victim, shared, settings);
    assert.deepEqual(await attackWith(victim, shared, settings, { breakAfter: 1 }), whole);
    assert.equal(whole.restarts.length, 2);
    assert.notEqual(whole.restarts[0]?.distance, whole.restarts[1]?.distance);
  });

  it('says that it diverged, and keeps the best iterate before that', async () => {
    const victim = await zooVictim('lenet-zhu', { shape, activation: 'relu' });
    const shared = await shareOnce(victim, someImages(3, 1, shape), [4]);
    const settings = { ...presetSettings('idlg', presetCase), learningRate: 1e25 };
    const outcome = await attackWith(victim, shared, settings);
    assert.equal(outcome.restarts[0]?.end, 'diverged');
    assert.ok(Number.isFinite(outcome.distance));
    assert.ok(outcome.images.data.every(Number.isFinite));
  });

  it('says that it stalled where no step is left to make', async () => {
    const victim = await zooVictim('mlp', { shape });
    const images = someImages(3, 1, shape);
    const shared = await shareOnce(victim, images, [4]);
    const settings = { ...presetSettings('idlg', presetCase), start: 'mean', mean: images.data, stopBelow: 0 } as const;
    const outcome = await attackWith(victim, shared, settings);
    assert.equal(outcome.restarts[0]?.end, 'stalled');
    assert.ok(outcome.restarts[0].steps < 5);
  });
});

describe('an attack by Adam', () => {
  const quick = { steps: 60, stopEvery: 1 };
  it('comes near the image with signed steps, cosine distance and a box', async () => {
    const victim = await zooVictim('convnet-small', { shape });
    const images = someImages(1, 1, shape);
    const settings = {
      ...presetSettings('inverting-gradients', presetCase),
      steps: 300,
      priors: { totalVariation: 1e-6 },
    };
    const outcome = await attackWith(victim, await shareOnce(victim, images, [4]), settings, { most: 100 });
    assert.ok(outcome.images.data.every((x) => x >= 0 && x <= 1));
    assert.ok(
      meanSquaredError(outcome.images.data, images.data) < 0.02,
      String(meanSquaredError(outcome.images.data, images.data)),
    );
    assert.ok(outcome.distance < 0.01);
    assert.equal(outcome.evaluations, 301);
  });

  const cases: readonly (readonly [string, Partial<AttackSettings>])[] = [
    ['signed steps', {}],
    [
      'restarts, soft signs, noise and a warm-up',
      { optimiser: 'soft-signed-adam', noise: 0.1, restarts: 2, warmupSteps: 5, schedule: 'cosine' },
    ],
    ['guessed labels', { labels: 'joint', optimiser: 'adam' }],
    ['a group of restarts', { restarts: 2, priors: { group: 0.1 }, groupEvery: 7 }],
    ['a group as it is', { restarts: 2, priors: { group: 0.1 }, groupEvery: 7, registration: 'none' }],
  ];
  for (const [name, changes] of cases) {
    it(`gives the same bits however its steps are cut, and from a captured state: ${name}`, async () => {
      const victim = await zooVictim('lenet-zhu', { shape });
      const shared = await shareOnce(victim, someImages(2, 1, shape), [4]);
      const settings = { ...presetSettings('inverting-gradients', presetCase), ...quick, steps: 25, ...changes };
      const whole = await attackWith(victim, shared, settings, { most: 1000 });
      assert.deepEqual(await attackWith(victim, shared, settings, { most: 4, breakAfter: 3 }), whole);
      assert.deepEqual(
        whole.restarts.map(({ end, steps }) => [end, steps]),
        Array.from({ length: settings.restarts }, () => ['finished', 25]),
      );
    });
  }

  it('stops at the first step below the threshold, however its steps are cut', async () => {
    const victim = await zooVictim('lenet-zhu', { shape });
    const shared = await shareOnce(victim, someImages(2, 1, shape), [4]);
    const settings = {
      ...presetSettings('idlg', presetCase),
      optimiser: 'adam',
      learningRate: 0.1,
      steps: 40,
    } as const;
    const { distance } = await attackWith(victim, shared, { ...settings, steps: 12 }, { most: 1000 });
    const stopping = { ...settings, stopBelow: 1.0001 * distance };
    const whole = await attackWith(victim, shared, stopping, { most: 1000 });
    const [restart] = whole.restarts;
    assert.equal(restart?.end, 'converged');
    assert.ok(restart.steps > 1 && restart.steps <= 14, `${restart.steps}`);
    for (const most of [1, 3, 7]) assert.deepEqual(await attackWith(victim, shared, stopping, { most }), whole);
  });

  it('pulls the restarts of a group together', async () => {
    const victim = await zooVictim('lenet-zhu', { shape });
    const shared = await shareOnce(victim, someImages(2, 1, shape), [4]);
    const apart = async (group: number): Promise<number> => {
      const settings = {
        ...presetSettings('inverting-gradients', presetCase),
        steps: 40,
        restarts: 2,
        optimiser: 'adam',
        priors: { group },
      } as const;
      const attack = await openAttack(victim, shared, settings, oneThread);
      while (!attack.outcome) await attack.advance(10);
      const [one, two] = attack.capture().map(({ tensors }) => tensors['pixels']?.data ?? []);
      await attack.close();
      return meanSquaredError(Array.from(one ?? [], Number), Array.from(two ?? [], Number));
    };
    assert.ok((await apart(100)) < 0.5 * (await apart(1e-9)));
  });

  it('has no group with one restart', async () => {
    const victim = await zooVictim('lenet-zhu', { shape });
    const shared = await shareOnce(victim, someImages(2, 1, shape), [4]);
    const alone = (group: number): Promise<AttackOutcome> =>
      attackWith(victim, shared, {
        ...presetSettings('inverting-gradients', presetCase),
        steps: 20,
        priors: { group },
      });
    assert.deepEqual(await alone(5), await alone(0));
  });

  it('hands over images in pixels, whatever space it moves in', async () => {
    const model = await zooVictim('lenet-zhu', { shape });
    const images = someImages(1, 1, shape);
    const settings = {
      ...presetSettings('inverting-gradients', presetCase),
      ...quick,
      start: 'zeros',
      steps: 1,
      learningRate: 1e-9,
      keep: 'last',
    } as const;
    const outcome = await attackWith(model, await shareOnce(model, images, [4]), {
      ...settings,
      space: { mean: [0.25], std: [0.5] },
    });
    assert.ok(outcome.images.data.every((x) => Math.abs(x - 0.25) < 1e-6));
  });
});

describe('the settings of attacks', () => {
  for (const id of presetIds) {
    it(`run as published, for a step: ${id}`, async () => {
      const victim = await zooVictim(id === 'see-through' ? 'wrn-16-1' : 'lenet-zhu', { shape: [3, 8, 8] });
      const shared = await shareOnce(victim, someImages(1, 1, victim.shape), [4]);
      const outcome = await attackWith(victim, shared, { ...presetSettings(id, presetCase), steps: 1 });
      assert.ok(Number.isFinite(outcome.distance));
    });
  }
  it('are refused with every reason when they do not fit', async () => {
    const victim = await zooVictim('lenet-zhu', { shape });
    const shared = await shareOnce(victim, someImages(1, 1, shape), [4]);
    const settings = {
      ...presetSettings('idlg', { ...presetCase, labels: [10, 1] }),
      steps: 0,
      restarts: 2,
      priors: { group: 1 },
      local: { steps: 2, learningRate: 0.1 },
    };
    await assert.rejects(openAttack(victim, shared, settings, oneThread), (error: Error) => {
      assert.match(
        error.message,
        /expected 1 labels, got 2; expected labels from 0 to 9, got 10, 1; expected at least 1 step/,
      );
      assert.match(error.message, /Adam optimisers; the client shared a gradient, the attack assumes the other/);
      return true;
    });
  });
  it('refuse a gradient that vanished', async () => {
    const victim = await zooVictim('lenet-zhu', { shape });
    const tensors = Object.fromEntries(
      victim.parameters.map(({ name, dims }) => [name, float32(dims, new Float32Array(sizeOf(dims)))]),
    );
    const settings = presetSettings('idlg', presetCase);
    await assert.rejects(
      openAttack(victim, { kind: 'gradient', tensors }, settings, oneThread),
      /The gradient vanished/,
    );
  });
  it('start every restart elsewhere, and the same for a seed', () => {
    for (const kind of startKinds) {
      const options = { kind, dims: [2, 1, 20, 20], seed: 1, mean: new Float32Array(400).fill(0.3) };
      const [first, again, second] = [0, 0, 1].map((restart) => startPixels({ ...options, restart }));
      assert.deepEqual(first, again);
      assert.equal(['zeros', 'mean'].includes(kind), String(first) === String(second), kind);
    }
    const tiled = startPixels({ kind: 'patterned-4', dims: [1, 1, 8, 8], seed: 1, restart: 0 });
    assert.equal(tiled[0], tiled[4 * 8 + 4]);
    assert.notEqual(tiled[0], tiled[1]);
  });
});
