import assert from 'node:assert/strict';
import { it } from 'node:test';
import { fillUniform, stream } from '../base/rng.ts';
import { openModel } from '../train/models.ts';
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
