import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { float32, int64, tensor } from '../base/tensor.ts';
import { npyBytes, npzBytes, pngGrid } from './write.ts';
import { memoryRegion } from './files.ts';
import { parseNpy } from './formats/npy.ts';
import { openZipEntry, readZipDirectory } from './formats/zip.ts';

async function pixels(png: Uint8Array, space: 'b-w' | 'srgb') {
  const { data, info } = await sharp(png).toColourspace(space).raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: info.channels, values: [...data] };
}

describe('an image grid', () => {
  it('lays images out row by row with black gaps', async () => {
    const grid = await pngGrid(Float32Array.of(0.2, 1, 0.4, 0.6, 0.8, 1), [3, 1, 1, 2], { columns: 2 });
    assert.deepEqual(await pixels(grid, 'b-w'), {
      width: 5,
      height: 3,
      channels: 1,
      values: [51, 255, 0, 102, 153, 0, 0, 0, 0, 0, 204, 255, 0, 0, 0],
    });
  });

  it('leaves the gaps open where the page is to show', async () => {
    const grid = await pngGrid(Float32Array.of(0.2, 1), [2, 1, 1, 1], { columns: 2, ground: 'transparent' });
    const shown = await pixels(grid, 'srgb');
    assert.equal(shown.channels, 4);
    assert.deepEqual(shown.values, [51, 51, 51, 255, 0, 0, 0, 0, 255, 255, 255, 255]);
  });

  it('enlarges pixels to squares and clamps to the unit range', async () => {
    const grid = await pngGrid(Float32Array.of(-1, 2), [1, 1, 1, 2], { columns: 9, scale: 2 });
    assert.deepEqual(await pixels(grid, 'b-w'), {
      width: 4,
      height: 2,
      channels: 1,
      values: [0, 0, 255, 255, 0, 0, 255, 255],
    });
  });

  it('stretches each image on its own with minmax, and leaves a constant one dark', async () => {
    const grid = await pngGrid(Float32Array.of(10, 12, -1, -2, 5, 5), [3, 1, 1, 2], {
      columns: 3,
      gap: 0,
      range: 'minmax',
    });
    assert.deepEqual((await pixels(grid, 'b-w')).values, [0, 255, 255, 0, 0, 0]);
  });

  it('keeps colours', async () => {
    const grid = await pngGrid(Float32Array.of(1, 0, 0, 1, 0.2, 0.4), [1, 3, 1, 2], { columns: 1 });
    assert.deepEqual((await pixels(grid, 'srgb')).values, [255, 0, 51, 0, 255, 102]);
  });

  it('leaves the place of an image that is not made yet clear', async () => {
    const grid = await pngGrid(Float32Array.of(0.2, 1, 0, 0), [2, 1, 1, 2], { columns: 2, isMade: (i) => i === 0 });
    const { data, info } = await sharp(grid).raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height], [5, 1]);
    const opacity = [...data].filter((_, i) => i % info.channels === info.channels - 1);
    assert.deepEqual(opacity, [255, 255, 0, 0, 0]);
    assert.deepEqual([data[0], data[info.channels]], [51, 255]);
    const whole = await pngGrid(Float32Array.of(0.2, 1), [1, 1, 1, 2], { columns: 2, isMade: () => true });
    assert.deepEqual((await pixels(whole, 'b-w')).values, [51, 255]);
  });

  it('refuses shapes that are no images', async () => {
    await assert.rejects(pngGrid(new Float32Array(4), [1, 2, 1, 2], { columns: 1 }), { code: 'SHAPE_MISMATCH' });
    await assert.rejects(pngGrid(new Float32Array(3), [1, 1, 2, 2], { columns: 1 }), { code: 'SHAPE_MISMATCH' });
  });
});

describe('NumPy writing', () => {
  const tensors = [
    float32([2, 1], [0.5, -2]),
    int64([3], [1, -5, 7]),
    tensor('float64', [], Float64Array.of(3.5)),
    tensor('bool', [2], Uint8Array.of(0, 1)),
    tensor('float16', [1], Uint16Array.of(0x3c00)),
  ];
  for (const value of tensors) {
    it(`of ${value.dtype} [${value.dims.join(', ')}] is read back the same`, async () => {
      const bytes = npyBytes(value);
      const array = await parseNpy(memoryRegion(bytes), 'x');
      assert.deepEqual(array.dims, value.dims);
      assert.deepEqual(await array.data.read(0, array.data.length), new Uint8Array(value.data.buffer));
      assert.equal((bytes.length - value.data.byteLength) % 64, 0);
    });
  }

  it('of an archive gives the same bytes each time, and members that are read back', async () => {
    const make = () => npzBytes({ images: float32([2], [1, 2]), labels: int64([1], [3]) });
    const bytes = make();
    assert.deepEqual(bytes, make());
    const region = memoryRegion(bytes);
    const entries = await readZipDirectory(region, 'x');
    assert.deepEqual(
      entries.map((entry) => entry.name),
      ['images.npy', 'labels.npy'],
    );
    const [first] = entries;
    assert.ok(first);
    const array = await parseNpy(await openZipEntry(region, first, 'x'), 'images');
    assert.deepEqual([array.descr, array.dims], ['<f4', [2]]);
  });
});
