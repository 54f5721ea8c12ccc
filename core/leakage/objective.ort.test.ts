import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32, type FloatTensor } from '../base/tensor.ts';
import { stream } from '../base/rng.ts';
import { openObjective, type ObjectiveOptions, type ObjectiveValue } from './objective.ts';
import { distanceKinds, layerWeightKinds } from './objective-distance.ts';
import { routeB } from './testing/route-b.ts';
import type { SharedGradients } from './victim-gradient.ts';
import { normOf } from './victim-match.ts';
import type { Victim } from './victim.ts';
import { oneThread, shareOnce, someImages, zooVictim } from './testing/zoo-victim.ts';

const shape = [1, 8, 8] as const;
const base = { batchSize: 2, labels: [3, 7], distance: { kind: 'l2' } } as const satisfies ObjectiveOptions;

async function evaluate(
  victim: Victim,
  shared: SharedGradients,
  options: ObjectiveOptions,
  ...points: readonly (readonly [FloatTensor, (Float32Array<ArrayBuffer> | undefined)?])[]
): Promise<ObjectiveValue[]> {
  const objective = await openObjective(victim, shared, options, oneThread);
  const values: ObjectiveValue[] = [];
  for (const [pixels, labels] of points) values.push(await objective.at(pixels.data, labels));
  await objective.close();
  return values;
}

const changed = ({ dims, data }: FloatTensor, by: (value: number, i: number) => number): FloatTensor =>
  float32(dims, data.map(by));
const scaled = ({ kind, tensors }: SharedGradients, factor: number): SharedGradients => ({
  kind,
  tensors: Object.fromEntries(
    Object.entries(tensors).map(([name, tensor]) => [name, changed(tensor, (x) => x * factor)]),
  ),
});

function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const norm = (x: readonly number[]): number => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
  return norm(Array.from(a, (value, i) => value - (b[i] ?? Number.NaN))) / norm(Array.from(b));
}

describe('the objective of an attack', () => {
  for (const architecture of ['lenet-zhu', 'convnet-small', 'resnet20'] as const) {
    it(`is zero at the true images and labels: ${architecture}`, async () => {
      const victim = await zooVictim(architecture, { shape });
      const images = someImages(1, 2, shape);
      const shared = await shareOnce(victim, images, base.labels);
      const certain = new Float32Array(20).map((_, i) => (i === 3 || i === 17 ? 60 : 0));
      const [known] = await evaluate(victim, shared, base, [images]);
      const [joint] = await evaluate(victim, shared, { ...base, labels: 'joint' }, [images, certain]);
      const [cosine] = await evaluate(victim, shared, { ...base, distance: { kind: 'cosine' } }, [images]);
      assert.ok((known?.distance ?? NaN) < 1e-10 * normOf(shared) ** 2);
      assert.ok((joint?.distance ?? NaN) < 1e-10 * normOf(shared) ** 2);
      assert.ok((cosine?.distance ?? NaN) < 1e-10);
    });
  }

  const cases: readonly (readonly [string, Partial<ObjectiveOptions>, Parameters<typeof zooVictim>[1]?])[] = [
    ...distanceKinds.map((kind) => [`distance ${kind}`, { distance: { kind } }] as const),
    ...layerWeightKinds.map(
      (layerWeights) => [`${layerWeights} layer weights`, { distance: { kind: 'cosine', layerWeights } }] as const,
    ),
    ['guessed labels', { labels: 'joint' }],
    ['three local steps', { local: { steps: 3, learningRate: 0.05, batchSize: 1 } }],
    ['a space of its own', { space: { mean: [0.4], std: [0.2] } }],
    ['total variation', { priors: { totalVariation: 0.3 } }],
    ['double-opponent variation', { priors: { opponentVariation: 0.3 } }, { shape: [3, 8, 8] }],
    ['the squared norm and features', { priors: { squaredNorm: 0.5, features: 0.1 } }],
    ['batch norm statistics', { priors: { batchNorm: 0.01 } }, { shape: [3, 8, 8], batchNorm: 'eval' }],
    ['batch norm of the batch', {}, { shape: [3, 8, 8], batchNorm: 'train' }],
  ];
  for (const [name, options, victimOptions] of cases) {
    it(`has the gradient that differences of its own values show: ${name}`, async () => {
      const architecture = name.includes('batch norm') ? 'wrn-16-1' : 'lenet-zhu';
      const victim = await zooVictim(architecture, { shape, activation: 'tanh', ...victimOptions });
      const all = { ...base, ...options };
      const shared = await shareOnce(victim, someImages(1, 2, victim.shape), base.labels, all.local);
      const guess = someImages(2, 2, victim.shape);
      const random = stream(3, 'direction');
      const labels = all.labels === 'joint' ? Float32Array.from({ length: 20 }, () => random.normal()) : undefined;
      const [direction, labelDirection] = [guess.data.map(() => random.normal()), labels?.map(() => random.normal())];
      // Small where there are kinks, or a batch norm that bends; large elsewhere, for values are rounded to 1e-7.
      const h = /l1|of the batch/.test(name) ? 2e-4 : 2e-3;
      const moved = (sign: number) =>
        [
          changed(guess, (value, i) => value + sign * h * (direction[i] ?? NaN)),
          labels?.map((value, i) => value + sign * h * (labelDirection?.[i] ?? NaN)),
        ] as const;
      const [here, plus, minus] = await evaluate(victim, shared, all, [guess, labels], moved(1), moved(-1));
      assert.ok(here && plus && minus);
      const along = (grad: Float32Array | undefined, by: Float32Array | undefined): number =>
        grad ? grad.reduce((sum, value, i) => sum + value * (by?.[i] ?? 0), 0) : 0;
      const slope = along(here.dPixels, direction) + along(here.dLabelLogits, labelDirection);
      const difference = (plus.total - minus.total) / (2 * h);
      const scale = Math.max(Math.abs(difference), 0.05 * Math.hypot(...here.dPixels) * Math.hypot(...direction));
      assert.ok(
        Math.abs(slope - difference) < 1e-3 * scale + (3e-7 * Math.abs(here.total)) / h,
        `slope ${slope}, difference ${difference}`,
      );
    });
  }

  for (const kind of ['l2', 'cosine'] as const) {
    it(`has the gradient of the second route, by differences of first derivatives: ${kind}`, async () => {
      const victim = await zooVictim('lenet-zhu', { shape });
      const [images, guess] = [someImages(1, 2, shape), someImages(2, 2, shape)];
      const [shared, own] = [await shareOnce(victim, images, base.labels), await shareOnce(victim, guess, base.labels)];
      const [value] = await evaluate(victim, shared, { ...base, distance: { kind } }, [guess]);
      const probabilities = float32(
        [2, 10],
        new Float32Array(20).map((_, i) => Number(i === 3 || i === 17)),
      );
      const other = await routeB(victim, kind, own, shared, guess, probabilities);
      assert.ok(relativeError(other, value?.dPixels ?? []) < 1e-2);
    });
  }

  it('does not change with the size of the gradient where the distance is a cosine: clipping defends nothing', async () => {
    const victim = await zooVictim('lenet-zhu', { shape });
    const [images, guess] = [someImages(1, 2, shape), someImages(2, 2, shape)];
    const shared = await shareOnce(victim, images, base.labels);
    for (const kind of ['cosine', 'cosine-by-layer', 'l2'] as const) {
      const options = { ...base, distance: { kind } };
      const [plain] = await evaluate(victim, shared, options, [guess]);
      const [clipped] = await evaluate(victim, scaled(shared, 0.1 / normOf(shared)), options, [guess]);
      assert.ok(plain && clipped);
      const isSame = Math.abs(plain.total - clipped.total) < 2e-6;
      assert.equal(isSame, kind !== 'l2', kind);
    }
  });

  it('looks only where a pruned gradient is not zero, when asked to', async () => {
    const victim = await zooVictim('lenet-zhu', { shape });
    const images = someImages(1, 2, shape);
    const shared = await shareOnce(victim, images, base.labels);
    const tensors = Object.fromEntries(
      Object.entries(shared.tensors).map(([name, tensor]) => [
        name,
        changed(tensor, (x) => (Math.abs(x) < 0.01 ? 0 : x)),
      ]),
    );
    const pruned = { ...shared, tensors };
    const [blind] = await evaluate(victim, pruned, base, [images]);
    const [adapted] = await evaluate(victim, pruned, { ...base, distance: { kind: 'l2', onlyNonZero: true } }, [
      images,
    ]);
    assert.ok((blind?.distance ?? 0) > 1e-6);
    assert.ok((adapted?.distance ?? NaN) < 1e-10);
  });
});
