import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillUniform, stream } from '../base/rng.ts';
import { openModel } from '../train/models.ts';
import { prepareAttack } from './registry.ts';
import { runAttack } from './shell.ts';
import type { Fusion } from './look.ts';
import { batchesOf, openVictim, padded } from './victim.ts';

it('cuts rows into full batches and the rest into the smallest power of two', () => {
  assert.deepEqual(batchesOf(150, 64), [
    { from: 0, to: 64, batch: 64 },
    { from: 64, to: 128, batch: 64 },
    { from: 128, to: 150, batch: 32 },
  ]);
  assert.deepEqual(batchesOf(1, 64), [{ from: 0, to: 1, batch: 1 }]);
  assert.deepEqual(batchesOf(0, 64), []);
  assert.deepEqual([...padded(Float32Array.of(1, 2, 3, 4), 2, 0, 2, 4)], [1, 2, 3, 4, 3, 4, 3, 4]);
});

it('gives the same when a graph that was let go of is needed again', async () => {
  const shape = [1, 6, 6] as const;
  const small = await openModel({ kind: 'zoo', architecture: 'mlp' }, 'victim', { shape, classes: 4, seed: 0 });
  // So many weights beside the ones that are used that only six graphs stay open.
  const spare = { dtype: 'float32', dims: [2 ** 27], data: new Float32Array(2 ** 27) } as const;
  const graph = { ...small.graph, initializers: new Map([...small.graph.initializers, ['spare', spare]]) };
  const victim = openVictim({ ...small, graph }, { session: { device: 'cpu', threads: 1 } });
  const images = new Float32Array(63 * 36);
  fillUniform(stream(0, 'images'), images);
  const first = await victim.logits(images.slice(0, 36));
  for (const count of [2, 3, 8, 16, 31, 63]) await victim.logits(images.slice(0, count * 36));
  assert.deepEqual(await victim.logits(images.slice(0, 36)), first);
  await victim.close();
});

describe('several models that are attacked as one', () => {
  const shape = [1, 5, 5] as const;
  const [count, classes, epsilon] = [6, 4, 0.05];
  const session = { device: 'cpu', threads: 1 } as const;
  const images = new Float32Array(count * 25);
  fillUniform(stream(0, 'images'), images, 0.2, 0.8);
  const softmax = (row: Float32Array): number[] => {
    const top = Math.max(...row);
    const powers = Array.from(row, (value) => Math.exp(value - top));
    const sum = powers.reduce((a, b) => a + b, 0);
    return powers.map((value) => value / sum);
  };
  const open = async (seed: number) =>
    openModel({ kind: 'zoo', architecture: 'mlp' }, 'source', { shape, classes, seed });
  const rowsOf = (values: Float32Array): Float32Array[] =>
    Array.from({ length: count }, (_, i) => values.subarray(i * classes, (i + 1) * classes));

  it('answer with the mean of their logits or of their probabilities', async () => {
    const models = await Promise.all([open(0), open(1), open(2)]);
    const each = await Promise.all(
      models.map(async (model) => {
        const victim = openVictim(model, { session });
        const logits = await victim.logits(images);
        await victim.close();
        return rowsOf(logits);
      }),
    );
    const answer = async (by: Fusion): Promise<Float32Array[]> => {
      const victim = openVictim(models[0], { session, fused: { models: models.slice(1), by } });
      const logits = await victim.logits(images);
      await victim.close();
      return rowsOf(logits);
    };
    const [byLogits, byProbabilities] = [await answer('logits'), await answer('probabilities')];
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < classes; k++) {
        const mean = (of: (row: Float32Array) => ArrayLike<number>): number =>
          each.reduce((sum, rows) => sum + of(rows[i]!)[k]!, 0) / 3;
        assert.ok(Math.abs(byLogits[i]![k]! - mean((row) => row)) < 1e-5);
        assert.ok(Math.abs(Math.exp(byProbabilities[i]![k]!) - mean(softmax)) < 1e-5);
      }
    }
  });

  it('are left by the gradient of the fused logits, of the log of the mean probability, or of the mean loss', async () => {
    const models = await Promise.all([open(0), open(1)]);
    const sources = models.map((model) => openVictim(model, { session }));
    const [first, second] = [sources[0]!, sources[1]!];
    const labels = Int32Array.from(rowsOf(await first.logits(images)), (row) => row.indexOf(Math.max(...row)));
    const hot = (i: number, k: number): number => Number(labels[i] === k);
    const [a, b] = [rowsOf(await first.logits(images)), rowsOf(await second.logits(images))];
    /** Of the loss by the logits of one model, for each way to fuse. */
    const cotangents: Readonly<Record<Fusion, (own: Float32Array, i: number, k: number) => number>> = {
      losses: (own, i, k) => softmax(own)[k]! - hot(i, k),
      logits: (_, i, k) => softmax(a[i]!.map((value, j) => (value + b[i]![j]!) / 2))[k]! - hot(i, k),
      // −log p̄_y with p̄ the mean: −p_y (1[k = y] − p_k) / (2 p̄_y).
      probabilities: (own, i, k) => {
        const y = labels[i]!;
        const mean = (softmax(a[i]!)[y]! + softmax(b[i]!)[y]!) / 2;
        return (-softmax(own)[y]! * (hot(i, k) - softmax(own)[k]!)) / (2 * mean);
      },
    };
    for (const by of ['logits', 'probabilities', 'losses'] as const) {
      const weigh = (rows: readonly Float32Array[]): Float32Array =>
        Float32Array.from({ length: count * classes }, (_, at) =>
          cotangents[by](rows[Math.floor(at / classes)]!, Math.floor(at / classes), at % classes),
        );
      const [left, right] = [await first.vjp(images, weigh(a)), await second.vjp(images, weigh(b))];
      const fused = openVictim(models[0], { session, fused: { models: models.slice(1), by } });
      const steps = runAttack(prepareAttack('transfer', { method: 'fgsm' }), {
        victim: first,
        images,
        labels,
        indices: labels.map((_, i) => i),
        threat: { norm: 'linf', epsilon },
        seed: 0,
        sources: [fused],
      });
      let step = await steps.next();
      while (!step.done) step = await steps.next();
      const made = step.value.images;
      for (let p = 0; p < images.length; p++) {
        const slope = left.gradient[p]! + right.gradient[p]!;
        if (Math.abs(slope) < 1e-6) continue;
        assert.ok(Math.abs(made[p]! - images[p]! - epsilon * Math.sign(slope)) < 1e-5, `${by}, pixel ${p}`);
      }
      await fused.close();
    }
    for (const source of sources) await source.close();
  });
});
