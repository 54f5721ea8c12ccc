import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { presetSettings } from './attack-presets.ts';
import { adaptedSettings } from './defence-adaptive.ts';
import { defend, type Defence, type Gradients } from './defence.ts';
import { openObjective, type ObjectiveValue } from './objective.ts';
import { oneThread, someImages, zooVictim } from './testing/zoo-victim.ts';
import { openClient } from './victim-gradient.ts';

const victim = await zooVictim('lenet-zhu');
const image = someImages(1, 1, victim.shape);
const guess = someImages(2, 1, victim.shape);
const client = await openClient(victim, { batchSize: 1, session: oneThread });
const { shared } = await client.share(image, [3]);
await client.close();

const plain = presetSettings('idlg', { batchSize: 1, labels: [3], seed: 0 });
const signed = presetSettings('inverting-gradients', { batchSize: 1, labels: [3], seed: 0 });

async function valueAt(tensors: Gradients, settings: typeof plain, pixels = guess): Promise<ObjectiveValue> {
  const objective = await openObjective(victim, { kind: 'gradient', tensors }, settings, oneThread);
  const value = await objective.at(pixels.data);
  await objective.close();
  return value;
}

const defended = (defence: Defence): Gradients => defend([shared.tensors], defence, 0);

describe('an attacker who knows the defence', () => {
  it('sees a clipped gradient as the whole one', async () => {
    const clip = { kind: 'clip', norm: 0.01 } as const;
    const settings = adaptedSettings(plain, clip);
    assert.ok(settings);
    const [whole, clipped] = [await valueAt(shared.tensors, settings), await valueAt(defended(clip), settings)];
    assert.ok(Math.abs(whole.distance - clipped.distance) < 1e-6);
    const [a, b] = [whole.dPixels, clipped.dPixels];
    const error = Math.hypot(...a.map((value, i) => value - (b[i] ?? Number.NaN))) / Math.hypot(...a);
    assert.ok(error < 1e-4, `slopes differ by ${error}`);
    assert.equal(adaptedSettings(signed, clip), undefined);
  });
  it('compares a pruned gradient where something was kept: the true image is at distance 0', async () => {
    const prune = { kind: 'prune', fraction: 0.9, scope: 'tensor' } as const;
    const settings = adaptedSettings(plain, prune);
    assert.ok(settings);
    const tensors = defended(prune);
    assert.ok((await valueAt(tensors, settings, image)).distance < 1e-9);
    assert.ok((await valueAt(tensors, plain, image)).distance > 1e-3);
  });
  it('compares directions under noise, with ten times the total variation and as many evaluations', () => {
    for (const kind of ['gaussian', 'laplace'] as const) {
      const settings = adaptedSettings(plain, { kind, variance: 1e-3 });
      assert.deepEqual(
        [settings?.distance.kind, settings?.optimiser, settings?.steps, settings?.priors?.totalVariation],
        ['cosine', 'signed-adam', 20 * plain.steps, 1e-3],
      );
    }
    const own = adaptedSettings(
      { ...signed, priors: { totalVariation: 0.01 } },
      { kind: 'dp-sgd', norm: 1, multiplier: 1 },
    );
    assert.deepEqual([own?.steps, own?.priors?.totalVariation], [signed.steps, 0.1]);
  });
  it('changes nothing where knowing does not help', () => {
    for (const kind of ['none', 'float16', 'bfloat16'] as const)
      assert.equal(adaptedSettings(plain, { kind }), undefined);
    assert.equal(adaptedSettings(signed, { kind: 'int8' }), undefined);
    assert.equal(adaptedSettings(plain, { kind: 'sign' })?.distance.kind, 'cosine');
  });
});
