import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stream } from '../base/rng.ts';
import { float32, sizeOf } from '../base/tensor.ts';
import { meanSquaredError } from '../metrics/images.ts';
import { openModel } from '../train/models.ts';
import { readChain } from './analytic-chain.ts';
import { binInputs, linearInput, scanRows } from './analytic.ts';
import { designImprint, imprintedInput, imprintNames, withImprint } from './analytic-imprint.ts';
import { recoverRecursively } from './analytic-recursion.ts';
import { oneThread, someImages, zooVictim } from './testing/zoo-victim.ts';
import { openClient } from './victim-gradient.ts';
import { openVictim, type Victim } from './victim.ts';

type Shared = Readonly<Record<string, { readonly data: Float32Array }>>;

async function share(victim: Victim, images: Float32Array<ArrayBuffer>, labels: readonly number[]): Promise<Shared> {
  const client = await openClient(victim, { batchSize: labels.length, session: oneThread });
  const { shared } = await client.share(float32([labels.length, ...victim.shape], images), labels);
  await client.close();
  return shared.tensors;
}

const weightsOf = ({ parameters }: Victim): Record<string, Float32Array> =>
  Object.fromEntries(parameters.map(({ name, initial }) => [name, Float32Array.from(initial.data, Number)]));

const options = { box: [0, 1], tolerance: 1e-3 } as const;

describe('the first linear layer of a 784-128-10 network', () => {
  it('gives back each of 100 images to 1e-8 (A1)', async () => {
    const victim = await zooVictim('mlp', { shape: [1, 28, 28], seed: 3 });
    const client = await openClient(victim, { batchSize: 1, session: oneThread });
    let worst = 0;
    for (let i = 0; i < 100; i++) {
      const image = someImages(100 + i, 1, victim.shape);
      const { shared } = await client.share(image, [i % 10]);
      const weight = shared.tensors['fc1.weight']!.data;
      const found = linearInput({ weight, bias: shared.tensors['fc1.bias']!.data });
      worst = Math.max(worst, meanSquaredError(image.data, found ?? new Float32Array(784)));
    }
    await client.close();
    assert.ok(worst < 1e-8, `worst MSE ${worst}`);
  });
  it('holds each image of 4 in some row (A2), and most of 16 behind an imprint of 64 bins (A3)', async () => {
    const shape = [1, 28, 28] as const;
    const model = await openModel({ kind: 'zoo', architecture: 'mlp' }, 'victim', { shape, classes: 10, seed: 3 });
    const lit = (seed: number, count: number): Float32Array<ArrayBuffer> => {
      const { data } = someImages(seed, count, shape);
      return data.map((v, at) => v * stream(seed, 'light', Math.floor(at / 784)).uniform());
    };
    const hitsIn = (truth: Float32Array, found: readonly { readonly input: Float64Array }[]): number =>
      Array.from({ length: truth.length / 784 }, (_, k) => truth.subarray(784 * k, 784 * (k + 1))).filter((x) =>
        found.some(({ input }) => meanSquaredError(x, input) < 1e-6),
      ).length;
    const four = lit(1, 4);
    const plain = await share(openVictim(model), four, [1, 2, 3, 4]);
    const scanned = scanRows({ weight: plain['fc1.weight']!.data, bias: plain['fc1.bias']!.data }, options);
    assert.equal(hitsIn(four, scanned), 4);
    const imprint = designImprint(lit(2, 1000), 784, { measurement: 'mean', bins: 64, seed: 0 });
    const graph = withImprint(model.graph, model.inputName, imprint);
    const victim = openVictim({ ...model, graph, inputName: imprintedInput(model.inputName) });
    const sixteen = lit(3, 16);
    const shared = await share(
      victim,
      sixteen,
      Array.from({ length: 16 }, (_, i) => i % 10),
    );
    const rows = { weight: shared[imprintNames.weight]!.data, bias: shared[imprintNames.bias]!.data };
    const hits = hitsIn(sixteen, binInputs(rows, options));
    assert.ok(hits >= 9, `${hits} of 16, 12.6 expected`);
  });
});

describe('recursive recovery (A4)', () => {
  // With the papers' weights tanh saturates, and float32 has lost what came before it.
  for (const [activation, bound] of [
    ['sigmoid', 0.5],
    ['tanh', 0.1],
  ] as const) {
    it(`gives back the image behind LeNet(Zhu) with ${activation}`, async () => {
      const victim = await zooVictim('lenet-zhu', {
        shape: [1, 16, 16],
        activation,
        weights: { kind: 'uniform', bound, seed: 2 },
      });
      const image = someImages(5, 1, victim.shape);
      const shared = await share(victim, image.data, [4]);
      const chain = readChain(victim.graph, victim.inputName, victim.logitsName, victim.shape);
      assert.deepEqual([chain.stopped, chain.layers.length], [undefined, 4]);
      const gradients = Object.fromEntries(
        Object.entries(shared).map(([name, { data }]) => [name, float32([data.length], Float32Array.from(data))]),
      );
      const { image: found, residuals } = recoverRecursively(chain, weightsOf(victim), gradients);
      const mse = meanSquaredError(image.data, found);
      assert.ok(mse < 1e-3, `MSE ${mse}, residuals ${residuals.map((r) => r.toExponential(1)).join(' ')}`);
    });
  }
  it('says what ends it in a network with pooling', async () => {
    const victim = await zooVictim('lenet5', { shape: [1, 28, 28] });
    const chain = readChain(victim.graph, victim.inputName, victim.logitsName, victim.shape);
    assert.match(chain.stopped ?? '', /Relu .* cannot be inverted/);
    assert.throws(() => recoverRecursively(chain, {}, {}), { code: 'MODEL_UNSUITABLE' });
  });
});

it('a chain keeps what normalises the pixels', async () => {
  const model = await openModel({ kind: 'zoo', architecture: 'mlp' }, 'victim', {
    shape: [2, 4, 4],
    classes: 3,
    seed: 1,
  });
  const chain = readChain(model.graph, model.inputName, model.logitsName, model.shape);
  assert.deepEqual(
    [chain.scale, chain.shift],
    [
      [1, 1],
      [0, 0],
    ],
  );
  assert.deepEqual(chain.layers[0]?.inShape, [sizeOf([2, 4, 4]), 1, 1]);
});
