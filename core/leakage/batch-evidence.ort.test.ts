import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stream } from '../base/rng.ts';
import { float32 } from '../base/tensor.ts';
import { batchEvidence, type BatchEvidence } from './batch-evidence.ts';
import { numericalRank } from './batch-rank.ts';
import { labelEvidence } from './labels-evidence.ts';
import { labelPriors } from './labels-priors.ts';
import { oneThread, shareOnce, someImages, zooVictim } from './testing/zoo-victim.ts';
import { openClient, type LocalTraining, type SharedGradients } from './victim-gradient.ts';
import type { Victim } from './victim.ts';

const shape = [1, 12, 12] as const;
const lenet = (seed: number): Promise<Victim> =>
  zooVictim('lenet-zhu', { shape, weights: { kind: 'uniform', bound: 0.5, seed } });
const drawn = (seed: number, count: number): number[] => {
  const rng = stream(seed, 'labels');
  return Array.from({ length: count }, () => rng.int(10));
};

/** As the attacker sees it, who measures mean probabilities on 32 images of his own. */
async function evidenceOf(victim: Victim, shared: SharedGradients): Promise<BatchEvidence> {
  const client = await openClient(victim, { batchSize: 32, session: oneThread });
  const own = async (label: number) => {
    const given = await client.share(someImages(999, 32, shape), new Array<number>(32).fill(label));
    return labelEvidence(victim, given.shared, { batchSize: 32 });
  };
  const priors = labelPriors(await own(0), await own(1));
  await client.close();
  return batchEvidence(victim, shared, labelEvidence(victim, shared, { batchSize: 1, priors }));
}

async function sharedBy(victim: Victim, count: number, local?: LocalTraining): Promise<SharedGradients> {
  return shareOnce(victim, someImages(count, count, shape), drawn(count, count), local);
}

const changed = (
  given: SharedGradients,
  change: (value: number, i: number, name: string) => number,
): SharedGradients => ({
  ...given,
  tensors: Object.fromEntries(
    Object.entries(given.tensors).map(([name, { dims, data }]) => [
      name,
      float32(
        dims,
        data.map((value, i) => change(value, i, name)),
      ),
    ]),
  ),
});

describe('the size of a batch', () => {
  for (const count of [1, 2, 5, 16]) {
    it(`is the rank of a first linear layer: ${count}`, async () => {
      const victim = await zooVictim('mlp', { shape });
      const { least, estimate, warnings } = await evidenceOf(victim, await sharedBy(victim, count));
      assert.deepEqual([least, estimate, warnings], [count, count, []]);
    });
  }
  for (const count of [1, 2, 4, 8, 16]) {
    it(`of a fresh LeNet is told by its last layer: ${count}`, async () => {
      const victim = await lenet(count);
      const { least, estimate, notes } = await evidenceOf(victim, await sharedBy(victim, count));
      assert.ok(least <= count && least >= new Set(drawn(count, count)).size, `${least}: ${notes.join(' ')}`);
      assert.equal(estimate, count, notes.join(' '));
    });
  }
  it('is not told from the update of several local steps, nor where noise hides it', async () => {
    const victim = await lenet(1);
    const update = await evidenceOf(victim, await sharedBy(victim, 4, { steps: 2, learningRate: 0.01 }));
    assert.equal(update.estimate, undefined);
    const rng = stream(7, 'noise');
    const noisy = await evidenceOf(
      victim,
      changed(await sharedBy(victim, 4), (value) => value + 0.01 * rng.normal()),
    );
    assert.deepEqual([noisy.least, noisy.estimate], [1, undefined]);
    assert.match(noisy.warnings.join(), /weight decay, noise or another defence/);
    const faint = changed(await sharedBy(victim, 1), (value) => value * (1 + 1e-4 * rng.normal()));
    assert.equal((await evidenceOf(victim, faint)).least, 1);
  });
});

describe('the loss behind a gradient', () => {
  it('is refused where it was summed over the images', async () => {
    const victim = await lenet(3);
    const summed = changed(await sharedBy(victim, 4), (value) => 4 * value);
    await assert.rejects(evidenceOf(victim, summed), { code: 'DATA_UNSUITABLE', message: /summed, not averaged/ });
  });
  it('is doubted where labels were smoothed, and where weights decay', async () => {
    const victim = await lenet(1);
    const { head } = victim;
    const plain = await sharedBy(victim, 1);
    const [label = 0] = drawn(1, 1);
    // With smoothing s of one image δ becomes δ + s (1[y] − 1/K), in ∂b and, times the features, in ∂W.
    const bias = plain.tensors[head?.bias ?? '']?.data ?? [];
    const smoothed = changed(plain, (value, i, name) => {
      const row = name === head?.bias ? i : name === head?.weight ? Math.floor(i / head.featureCount) : undefined;
      if (row === undefined) return value;
      const target = 0.3 * (Number(row === label) - 0.1);
      return value * (1 + target / (bias[row] ?? 1));
    });
    const found = await evidenceOf(victim, smoothed);
    assert.match(found.warnings.join(), /label smoothing/);
    assert.equal(found.least, 1);
    const weights = new Map(victim.parameters.map(({ name, initial }) => [name, initial.data]));
    const decayed = changed(plain, (value, i, name) => value + 0.01 * Number(weights.get(name)?.[i] ?? 0));
    assert.match((await evidenceOf(victim, decayed)).warnings.join(), /weight decay/);
  });
});

describe('the rank of a matrix', () => {
  it('of single precision is seen through its rounding, up to where nothing is left', () => {
    const rng = stream(1, 'rank');
    const product = (rank: number, rows: number, columns: number): Float32Array => {
      const [a, b] = [rows, columns].map((count) => Array.from({ length: count * rank }, () => rng.normal()));
      return Float32Array.from({ length: rows * columns }, (_, at) => {
        const [i, j] = [Math.floor(at / columns), at % columns];
        let sum = 0;
        for (let k = 0; k < rank; k++) sum += (a?.[i * rank + k] ?? 0) * (b?.[j * rank + k] ?? 0);
        return sum;
      });
    };
    for (const rank of [1, 3, 40]) {
      const found = numericalRank(product(rank, 60, 900), [60, 900]);
      assert.deepEqual([found?.rank, found?.isFull], [rank, false]);
      assert.ok((found?.gap ?? 0) > 100);
    }
    assert.deepEqual(numericalRank(product(9, 4, 5), [4, 5]), { rank: 4, isFull: true, gap: 1 });
    assert.equal(numericalRank(new Float32Array(6), [2, 3]), undefined);
    assert.equal(numericalRank([1, 2], [2]), undefined);
  });
});
