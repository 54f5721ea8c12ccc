import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stream } from '../base/rng.ts';
import { float32, type FloatTensor } from '../base/tensor.ts';
import { isNonNegative, labelEvidence } from './labels-evidence.ts';
import { labelPriors, type LabelPriors } from './labels-priors.ts';
import { labelOverlap, recoverLabels, type LabelEvidence, type LabelRule } from './labels.ts';
import { oneThread, someImages, zooVictim } from './testing/zoo-victim.ts';
import { openClient, type Client, type SharedGradients } from './victim-gradient.ts';
import { openModel } from '../train/models.ts';
import { openVictim, type Victim } from './victim.ts';

const shape = [1, 28, 28] as const;
const freshLenet = (seed: number): Promise<Victim> =>
  zooVictim('lenet-zhu', { shape, weights: { kind: 'uniform', bound: 0.5, seed } });

const weightsOf = ({ parameters }: Victim): Record<string, FloatTensor> =>
  Object.fromEntries(
    parameters.map(({ name, dims, initial }) => [name, float32(dims, Float32Array.from(initial.data, Number))]),
  );

async function priorsOf(client: Client, victim: Victim, count: number): Promise<LabelPriors> {
  const dummy = someImages(999, count, shape);
  const labelled = async (label: number): Promise<LabelEvidence> => {
    const { shared } = await client.share(dummy, new Array<number>(count).fill(label), weightsOf(victim));
    return labelEvidence(victim, shared, { batchSize: count });
  };
  return labelPriors(await labelled(0), await labelled(1));
}

describe('labels of fresh LeNets', () => {
  it('are told by L1 and L2 of one image, in 1,000 of 1,000 pairs of a network and an image', async () => {
    const model = await openModel({ kind: 'zoo', architecture: 'lenet-zhu' }, 'victim', {
      shape: [1, 12, 12],
      classes: 10,
      seed: 0,
    });
    let victim = openVictim(model);
    const client = await openClient(victim, { batchSize: 1, session: oneThread });
    for (let i = 0; i < 1000; i++) {
      if (i % 10 === 0) victim = openVictim(model, { weights: { kind: 'uniform', bound: 0.5, seed: i } });
      const label = stream(i, 'label').int(10);
      const { shared } = await client.share(someImages(i, 1, victim.shape), [label], weightsOf(victim));
      const evidence = labelEvidence(victim, shared, { batchSize: 1 });
      for (const rule of ['L1', 'L1-sign', 'L2'] as const) {
        assert.deepEqual(recoverLabels(rule, evidence), { rule, labels: [label], notes: [] }, `pair ${i}`);
      }
    }
    await client.close();
  });
  for (const batch of [2, 8, 32]) {
    it(`are told of ${batch} images by L6 to 95 %, by L4 to 80 %`, async () => {
      const client = await openClient(await freshLenet(0), { batchSize: batch, session: oneThread });
      const overlap: Partial<Record<LabelRule, number>> = {};
      for (let i = 0; i < 8; i++) {
        const victim = await freshLenet(i);
        const rng = stream(i, 'labels', batch);
        const labels = Array.from({ length: batch }, () => rng.int(10));
        const priors = await priorsOf(client, victim, batch);
        const { shared } = await client.share(someImages(i, batch, shape), labels, weightsOf(victim));
        const evidence = labelEvidence(victim, shared, { batchSize: batch, priors });
        for (const rule of ['L4', 'L6', 'L7'] as const) {
          overlap[rule] = (overlap[rule] ?? 0) + labelOverlap(recoverLabels(rule, evidence).labels, labels) / 8;
        }
      }
      await client.close();
      assert.ok((overlap.L6 ?? 0) >= 0.95 && (overlap.L4 ?? 0) >= 0.8, JSON.stringify(overlap));
    });
  }
  it('are told after local steps by the mean gradient over them', async () => {
    const victim = await freshLenet(3);
    const local = { steps: 3, learningRate: 1e-3 };
    const client = await openClient(victim, { batchSize: 1, session: oneThread, local });
    const { shared } = await client.share(someImages(1, 1, shape), [7]);
    await client.close();
    const evidence = labelEvidence(victim, shared, { batchSize: 1, local });
    assert.deepEqual(recoverLabels('L2', evidence).labels, [7]);
    assert.deepEqual(recoverLabels('L1', evidence).labels, [7]);
  });
});

describe('the evidence of labels', () => {
  it('knows from the graph where features cannot be negative', async () => {
    for (const [architecture, expected] of [
      ['lenet-zhu', true],
      ['mlp', true],
      ['resnet20', true],
      ['mobilenet-v2', false],
    ] as const) {
      const { graph, head } = await zooVictim(architecture, { shape: [3, 32, 32] });
      assert.equal(isNonNegative(graph, head?.features ?? ''), expected, architecture);
    }
    const tanh = await zooVictim('lenet-zhu', { activation: 'tanh' });
    assert.equal(isNonNegative(tanh.graph, tanh.head?.features ?? ''), false);
  });
  it('turns a last layer that is stored by feature', async () => {
    const victim = await zooVictim('mlp', { shape: [1, 4, 4], classes: 3 });
    const { head } = victim;
    assert.ok(head);
    const rows = Float32Array.from({ length: 3 * head.featureCount }, (_, i) => i);
    const turned = Float32Array.from(rows, (_, i) => rows[(i % 3) * head.featureCount + Math.floor(i / 3)]!);
    const shared = (data: Float32Array<ArrayBuffer>): SharedGradients => ({
      kind: 'gradient',
      tensors: { [head.weight]: float32([data.length], data), 'fc2.bias': float32([3], [1, 2, 3]) },
    });
    const straight = labelEvidence(victim, shared(rows), { batchSize: 1 });
    const other = labelEvidence({ ...victim, head: { ...head, isTransposed: true } }, shared(turned), { batchSize: 1 });
    assert.deepEqual(other.weightGradient, straight.weightGradient);
    assert.throws(() => labelEvidence({ ...victim, head: undefined }, shared(rows), { batchSize: 1 }), {
      code: 'MODEL_UNSUITABLE',
    });
  });
});
