import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { memorySet } from '../../data/dataset.ts';
import type { ImageSource } from '../../train/evaluate.ts';
import { storeSet, temporaryFolder } from '../testing/drive.ts';
import { chosenImages, openPool, type Pool } from './pool.ts';

const dir = temporaryFolder({ after });
const teacher = { title: 'teacher.onnx', shape: [1, 4, 4] as const };

/** Images of one value each: image i is i / 8. */
const levels = (shape: readonly [number, number, number], count = 8): ReturnType<typeof memorySet> => {
  const size = shape[0] * shape[1] * shape[2];
  const images = Float32Array.from({ length: count * size }, (_, i) => Math.floor(i / size) / 8);
  return memorySet({ title: 'levels', images, shape });
};

async function read(source: ImageSource, positions: readonly number[]): Promise<Float32Array> {
  const out = new Float32Array(positions.length * 16);
  await source.read(Int32Array.from(positions), out);
  return out;
}

const first = async (pool: Pool, seed: number, limit: number): Promise<number[]> => {
  const { source } = pool.pass(seed, limit);
  const all = await read(
    source,
    Array.from({ length: source.count }, (_, i) => i),
  );
  return Array.from({ length: source.count }, (_, i) => all[16 * i] ?? 0);
};

describe('a pool of data', () => {
  it('comes in the order of the seed, each image once, and says its number', async () => {
    const pool = await openPool(
      { source: 'auto', invert: false },
      await storeSet(dir, 'grey', levels([1, 4, 4])),
      teacher,
    );
    const seen = await first(pool, 1, 100);
    assert.equal(seen.length, 8);
    assert.deepEqual(
      seen.toSorted((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7].map((i) => i / 8),
    );
    assert.deepEqual(
      seen,
      [0, 1, 2, 3, 4, 5, 6, 7].map((i) => pool.pass(1, 100).itemAt(i) / 8),
    );
    assert.deepEqual(await first(pool, 1, 3), seen.slice(0, 3));
    assert.notDeepEqual(await first(pool, 2, 100), seen);
    await pool.close();
  });

  it('is fitted to the teacher: size, channels, inversion', async () => {
    const ref = await storeSet(dir, 'colour', levels([3, 7, 9]));
    const pool = await openPool({ source: 'data', invert: true }, ref, teacher);
    const seen = await first(pool, 1, 8);
    const expected = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => 1 - i / 8);
    seen.toSorted((a, b) => b - a).forEach((value, i) => assert.ok(Math.abs(value - (expected[i] ?? 0)) < 1e-5));
    await pool.close();
  });

  it('is refused when its channels cannot become the teacher’s', async () => {
    const ref = await storeSet(dir, 'colour-2', levels([3, 4, 4]));
    const two = { title: 'two.onnx', shape: [2, 4, 4] as const };
    await assert.rejects(openPool({ source: 'data', invert: false }, ref, two), {
      code: 'DATA_UNSUITABLE',
      message: /3 channels.*2 of two\.onnx/,
    });
  });

  it('must be given when it is asked for, and not when it is not used', async () => {
    await assert.rejects(openPool({ source: 'data', invert: false }, undefined, teacher), { code: 'PARAM_INVALID' });
    const ref = await storeSet(dir, 'unused', levels([1, 4, 4]));
    await assert.rejects(openPool({ source: 'uniform', invert: false }, ref, teacher), { code: 'PARAM_INVALID' });
  });
});

describe('a pool that is made up', () => {
  it('gives the same image for the same seed and position, in pieces of any size', async () => {
    const pool = await openPool({ source: 'mixed-noise', invert: false }, undefined, teacher);
    const { source } = pool.pass(3, 50);
    const all = await read(source, [4, 5, 6]);
    assert.deepEqual(await read(source, [6]), all.slice(32));
    assert.notDeepEqual(await read(pool.pass(4, 50).source, [6]), all.slice(32));
    assert.ok(all.every((value) => value >= 0 && value <= 1));
  });

  it('is one of shapes when nothing is given', async () => {
    const pool = await openPool({ source: 'auto', invert: false }, undefined, teacher);
    assert.match(pool.title, /shapes/);
    assert.equal(pool.size, Number.POSITIVE_INFINITY);
  });
});

describe('chosen images', () => {
  it('are the same whether they are held in memory or read again', async () => {
    const pool = await openPool({ source: 'gabor', invert: false }, undefined, teacher);
    const { source } = pool.pass(1, 20);
    const positions = Int32Array.of(7, 3, 7, 19);
    const expected = await read(source, [3, 7, 19]);
    for (const limit of [0, 2 ** 20])
      assert.deepEqual(await read(chosenImages(source, positions, limit), [1, 2, 3]), expected);
  });

  it('are read from the pool once when they fit into memory', async () => {
    const asked: number[] = [];
    const source: ImageSource = {
      count: 9,
      shape: [1, 4, 4],
      async read(indices, out) {
        asked.push(...Array.from(indices));
        out.fill(0.5);
      },
    };
    const chosen = chosenImages(source, Int32Array.of(8, 2, 8, 8));
    await read(chosen, [0, 1, 2]);
    await read(chosen, [3]);
    assert.deepEqual(asked, [8, 2]);
  });
});
