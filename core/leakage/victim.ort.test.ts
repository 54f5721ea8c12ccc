import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32, int64, sizeOf, type FloatTensor } from '../base/tensor.ts';
import { permutation, stream } from '../base/rng.ts';
import { GraphBuilder } from '../autodiff/builder.ts';
import { compile } from '../runtime/session.ts';
import { openModel } from '../train/models.ts';
import { withActivation } from './victim-activation.ts';
import { matchShared, normOf, refuseVanished } from './victim-match.ts';
import { withWeights } from './victim-weights.ts';
import { bakedWeights, emitSharing, openClient, type LocalTraining, type SharedGradients } from './victim-gradient.ts';
import type { Victim } from './victim.ts';
import { oneThread, someImages, zooVictim } from './testing/zoo-victim.ts';

async function shareOnce(
  victim: Victim,
  images: FloatTensor,
  labels: readonly number[],
  local?: LocalTraining,
  weights?: Record<string, FloatTensor>,
): Promise<SharedGradients> {
  const client = await openClient(victim, {
    batchSize: labels.length,
    session: oneThread,
    ...(local ? { local } : {}),
  });
  const { shared } = await client.share(images, labels, weights);
  await client.close();
  return shared;
}

const flat = ({ tensors }: SharedGradients): number[] => Object.values(tensors).flatMap(({ data }) => [...data]);

/** ‖a − b‖ / ‖b‖ */
function relativeError(a: readonly number[], b: readonly number[]): number {
  const norm = (x: readonly number[]): number => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));
  return norm(a.map((value, i) => value - (b[i] ?? Number.NaN))) / norm(b);
}

describe('the weights of a victim', () => {
  it('are drawn from U(−a, a), the same for the same seed', async () => {
    const rule = { kind: 'uniform', bound: 0.25, seed: 7 } as const;
    const [victim, again] = [
      await zooVictim('lenet5', { weights: rule }),
      await zooVictim('lenet5', { weights: rule }),
    ];
    const other = await zooVictim('lenet5', { weights: { ...rule, seed: 8 } });
    const all = victim.parameters.flatMap(({ initial }) => [...initial.data].map(Number));
    assert.ok(all.every((x) => Math.abs(x) <= 0.25));
    assert.ok(Math.abs(all.reduce((sum, x) => sum + x * x, 0) / all.length - 0.25 ** 2 / 3) < 1e-3);
    assert.deepEqual(again.parameters, victim.parameters);
    assert.notDeepEqual(other.parameters, victim.parameters);
  });
  for (const architecture of ['lenet5', 'vgg11']) {
    it(`are PyTorch's defaults, as the zoo makes them for ${architecture}`, async () => {
      const fit = { shape: [3, 32, 32], classes: 10 } as const;
      const [one, two] = [
        await zooVictim(architecture, { ...fit, seed: 1 }),
        await zooVictim(architecture, { ...fit, seed: 2 }),
      ];
      const drawn = withWeights(one.graph, { kind: 'torch-default', seed: 2 });
      assert.deepEqual(drawn.initializers, two.graph.initializers);
    });
  }
});

describe('the activations of a victim', () => {
  it('are replaced all at once', async () => {
    const victim = await zooVictim('lenet-zhu', { activation: 'tanh' });
    const ops = victim.graph.nodes.map(({ op }) => op);
    assert.equal(ops.filter((op) => op === 'Tanh').length, 3);
    assert.ok(!ops.includes('Sigmoid'));
  });
  it('leave a sigmoid that gates something else, and take x · sigmoid(x) for one', async () => {
    const { graph } = await openModel({ kind: 'zoo', architecture: 'mlp' }, 'victim', {
      shape: [1, 4, 4],
      classes: 3,
      seed: 1,
    });
    const node = (op: string, inputs: string[], output: string) => ({
      name: output,
      domain: '',
      op,
      inputs,
      outputs: [output],
      attributes: {},
    });
    const nodes = [
      node('Sigmoid', ['x'], 's'),
      node('Mul', ['x', 's'], 'silu'),
      node('Sigmoid', ['silu'], 'gate'),
      node('Mul', ['y', 'gate'], 'z'),
    ];
    const swapped = withActivation({ ...graph, nodes }, 'softplus');
    assert.deepEqual(
      swapped.nodes.map(({ op, inputs }) => [op, ...inputs]),
      [
        ['Sigmoid', 'x'],
        ['Softplus', 'x'],
        ['Sigmoid', 'silu'],
        ['Mul', 'y', 'gate'],
      ],
    );
    assert.throws(() => withActivation({ ...graph, nodes: [] }, 'relu'), { code: 'MODEL_UNSUITABLE' });
  });
});

describe('what a client shares', () => {
  it('has the label as the only negative entry of the last bias, and sums to zero there', async () => {
    const victim = await zooVictim('lenet-zhu');
    const { tensors } = await shareOnce(victim, someImages(1, 1, victim.shape), [6]);
    const bias = [...(tensors[victim.head?.bias ?? '']?.data ?? [])];
    assert.deepEqual(
      bias.flatMap((x, i) => (x < 0 ? [i] : [])),
      [6],
    );
    assert.ok(Math.abs(bias.reduce((sum, x) => sum + x, 0)) < 1e-6);
  });
  for (const [architecture, batchNorm] of [
    ['lenet-zhu', 'eval'],
    ['resnet20', 'eval'],
    ['resnet20', 'train'],
  ] as const) {
    it(`does not depend on the order of the batch: ${architecture}, batch norm in ${batchNorm} mode`, async () => {
      const victim = await zooVictim(architecture, { shape: [3, 16, 16], batchNorm });
      const [images, labels] = [someImages(2, 5, victim.shape), [3, 1, 4, 1, 5]];
      const order = [...permutation(stream(3, 'order'), 5)];
      const size = sizeOf(victim.shape);
      const moved = float32(
        images.dims,
        order.flatMap((i) => [...images.data.subarray(i * size, (i + 1) * size)]),
      );
      const straight = await shareOnce(victim, images, labels);
      const shuffled = await shareOnce(
        victim,
        moved,
        order.map((i) => labels[i] ?? -1),
      );
      assert.notDeepEqual(order, [0, 1, 2, 3, 4]);
      assert.ok(relativeError(flat(shuffled), flat(straight)) < 1e-5);
    });
  }
  it('is −learningRate · gradient after one local step, and the sum over their ways after several', async () => {
    const victim = await zooVictim('lenet-zhu');
    const [images, labels] = [someImages(4, 2, victim.shape), [0, 9]];
    const size = sizeOf(victim.shape);
    const local = { steps: 2, learningRate: 0.1, batchSize: 1 };
    const update = await shareOnce(victim, images, labels, local);
    const part = (i: number): FloatTensor => float32([1, ...victim.shape], images.data.slice(i * size, (i + 1) * size));
    const first = await shareOnce(victim, part(0), [0], { ...local, steps: 1 });
    const moved = Object.fromEntries(
      victim.parameters.map(({ name, dims, initial }) => [
        name,
        float32(
          dims,
          [...initial.data].map((x, i) => Number(x) + (first.tensors[name]?.data[i] ?? Number.NaN)),
        ),
      ]),
    );
    const second = await shareOnce(victim, part(1), [9], undefined, moved);
    const gradient = await shareOnce(victim, part(0), [0]);
    assert.equal(update.kind, 'update');
    assert.ok(
      relativeError(
        flat(first),
        flat(gradient).map((x) => -0.1 * x),
      ) < 1e-6,
    );
    const total = flat(first).map((x, i) => x - 0.1 * (flat(second)[i] ?? Number.NaN));
    assert.ok(relativeError(flat(update), total) < 1e-5);
  });
  it('is the same with the weights as constants of the graph', async () => {
    const victim = await zooVictim('lenet-zhu');
    const given = someImages(7, 1, victim.shape);
    const g = new GraphBuilder();
    const images = g.input('images', 'float32', given.dims);
    const targets = g.constant(int64([1], [2]));
    const sharing = emitSharing(g, victim, { images, targets, weights: bakedWeights(g, victim) });
    for (const [name, value] of Object.entries(sharing.shared)) g.output(name, value);
    const session = await compile(g.build('baked'), oneThread);
    const results = await session.run({ images: given });
    await session.close();
    const fed = await shareOnce(victim, given, [2]);
    const baked = victim.parameters.flatMap(({ name }) => [...(results[name]?.data ?? [])].map(Number));
    assert.ok(relativeError(baked, flat(fed)) < 1e-6);
  });
  it('refuses local batches that do not divide the images', async () => {
    const victim = await zooVictim('lenet-zhu');
    const options = { batchSize: 4, session: oneThread, local: { steps: 2, learningRate: 0.1, batchSize: 3 } };
    await assert.rejects(openClient(victim, options), { code: 'PARAM_INVALID' });
  });
});

describe('a gradient from elsewhere', () => {
  it('is matched by name, and refused with every reason at once', async () => {
    const victim = await zooVictim('mlp', { shape: [1, 4, 4], classes: 3 });
    const shared = await shareOnce(victim, someImages(5, 1, victim.shape), [1]);
    const reversed = new Map(Object.entries(shared.tensors).reverse());
    assert.deepEqual(matchShared(victim, 'gradient', reversed), shared);
    const bad = new Map<string, FloatTensor>(reversed);
    bad.delete('fc1.weight');
    bad.set('fc1.bias', float32([2], [0, 0]));
    bad.set('fc2.bias', float32([3], [0, Number.NaN, 0]));
    bad.set('other', float32([1], [0]));
    assert.throws(
      () => matchShared(victim, 'gradient', bad),
      /"fc1.weight" float32\[128, 16\] is missing; expected "fc1.bias" float32\[128\], got \[2\]; "fc2.bias" has NaN at 1.*; "other" is no parameter/,
    );
  });
  it('whose names only have something in front is told to leave that out', async () => {
    const victim = await zooVictim('lenet-zhu');
    const shared = await shareOnce(victim, someImages(1, 1, victim.shape), [1]);
    const wrapped = new Map(Object.entries(shared.tensors).map(([name, value]) => [`module.${name}`, value]));
    assert.throws(() => matchShared(victim, 'gradient', wrapped), { hint: /"module\." in front/ });
  });
  it('is said to have vanished when it is all zeros', async () => {
    const victim = await zooVictim('mlp', { shape: [1, 4, 4], classes: 3 });
    const shared = await shareOnce(victim, someImages(6, 1, victim.shape), [1]);
    refuseVanished(shared);
    assert.ok(normOf(shared) > 0.01);
    const zero = Object.fromEntries(
      Object.entries(shared.tensors).map(([name, { dims, data }]) => [
        name,
        float32(
          dims,
          data.map(() => 0),
        ),
      ]),
    );
    assert.throws(() => refuseVanished({ kind: 'gradient', tensors: zero }), /The gradient vanished: its norm is 0/);
  });
});
