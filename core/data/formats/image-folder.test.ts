import assert from 'node:assert/strict';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { describe, it, type TestContext } from 'node:test';
import sharp from 'sharp';
import { WorkbenchError } from '../../base/errors.ts';
import { openDataset } from '../dataset.ts';
import { asBytes, dataRef, readAll, readItems, temporaryFolder, writeFiles } from '../testing/fixtures.ts';

type Raw = { width: number; height: number; channels: 1 | 2 | 3 | 4 };
const png = (raw: Raw, values: ArrayLike<number>): Promise<Buffer> => {
  const image = sharp(Uint8Array.from(values), { raw });
  return (raw.channels === 1 ? image.toColourspace('b-w') : image).png().toBuffer();
};
const grey = (value: number, width = 2, height = 2) =>
  png({ width, height, channels: 1 }, new Array<number>(width * height).fill(value));

async function folders(
  t: TestContext,
  tree: Readonly<Record<string, Readonly<Record<string, Uint8Array | string>>>>,
): Promise<string> {
  const root = await temporaryFolder(t);
  for (const [folder, files] of Object.entries(tree)) {
    await mkdir(join(root, folder), { recursive: true });
    await writeFiles(join(root, folder), files);
  }
  return root;
}

/** A sound grey PNG but for the size in its header, whose checksum is right. */
async function claiming(width: number, height: number): Promise<Uint8Array> {
  const bytes = Buffer.from(await grey(1));
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}

describe('a folder of class folders', () => {
  it('numbers classes and images in the order of their names', async (t) => {
    const root = await folders(t, {
      dog: { 'b.png': await grey(20), 'a.png': await grey(10), '.DS_Store': 'x' },
      cat: { 'z.png': await grey(5) },
    });
    const set = await openDataset(dataRef(root));
    assert.deepEqual(
      [set.format, set.shape, [...(set.labels ?? [])], set.labelNames],
      ['image-folder', [1, 2, 2], [0, 1, 1], ['cat', 'dog']],
    );
    assert.deepEqual(asBytes(await readAll(set)), [5, 5, 5, 5, 10, 10, 10, 10, 20, 20, 20, 20]);
  });

  it('takes a class for a class, whatever it is called', async (t) => {
    const tree = { constructor: { '1.png': await grey(1) }, train: { '1.png': await grey(2) } };
    const set = await openDataset(dataRef(await folders(t, tree)));
    t.after(set.close);
    assert.deepEqual(set.labelNames, ['constructor', 'train']);
  });

  it('takes what is called validation to be tested on, where there is nothing else', async (t) => {
    const tree = { 'train/a': { '1.png': await grey(1) }, 'val/a': { '1.png': await grey(2) } };
    const root = await folders(t, tree);
    assert.deepEqual(asBytes(await readAll(await openDataset(dataRef(root, { split: 'test' })))), [2, 2, 2, 2]);
    const more = await folders(t, { ...tree, 'test/a': { '1.png': await grey(3) } });
    assert.deepEqual(asBytes(await readAll(await openDataset(dataRef(more, { split: 'test' })))), [3, 3, 3, 3]);
  });

  it('serves the splits that folders train and test name, with the classes of both', async (t) => {
    const root = await folders(t, {
      'train/b': { '1.png': await grey(1) },
      'train/c': { '1.png': await grey(2) },
      'test/a': { '1.png': await grey(3) },
      'test/c': { '1.png': await grey(4) },
    });
    const train = await openDataset(dataRef(root, { split: 'train' }));
    assert.deepEqual(
      [[...(train.labels ?? [])], train.labelNames],
      [
        [1, 2],
        ['a', 'b', 'c'],
      ],
    );
    const all = await openDataset(dataRef(root));
    assert.deepEqual(
      [[...(all.labels ?? [])], asBytes(await readItems(all, [3]))],
      [
        [1, 2, 0, 2],
        [4, 4, 4, 4],
      ],
    );
  });

  it('that is flat is a pool without labels', async (t) => {
    const root = await folders(t, { '.': { 'b.png': await grey(2), 'a.png': await grey(1), 'readme.md': 'about' } });
    const set = await openDataset(dataRef(root));
    assert.deepEqual([set.labels, asBytes(await readItems(set, [0]))], [undefined, [1, 1, 1, 1]]);
  });

  it('turns pictures upright by their EXIF orientation', async (t) => {
    const wide = sharp(Uint8Array.of(0, 50, 100, 150, 200, 250), { raw: { width: 3, height: 2, channels: 1 } });
    const turned = await wide.withMetadata({ orientation: 6 }).png().toBuffer();
    const set = await openDataset(dataRef(await folders(t, { a: { 'x.png': turned } })));
    assert.deepEqual(
      [set.shape, asBytes(await readAll(set)).slice(0, 6)],
      [
        [3, 3, 2],
        [150, 0, 200, 50, 250, 100],
      ],
    );
  });

  it('keeps 16 bits, scaled to [0, 1], beside 8-bit pictures', async (t) => {
    const deep = await sharp(Uint16Array.of(0, 1000, 30000, 65535), { raw: { width: 2, height: 2, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    const set = await openDataset(dataRef(await folders(t, { a: { '1.png': deep, '2.png': await grey(51) } })));
    const pixels = await readAll(set);
    const expected = [0, 1000 / 65535, 30000 / 65535, 1, 0.2, 0.2, 0.2, 0.2];
    for (const [i, value] of expected.entries())
      assert.ok(Math.abs((pixels[i] ?? 0) - value) < 2e-5, `pixel ${i} is ${pixels[i]}`);
  });

  it('lays alpha over black and gives grey pictures among coloured ones three channels', async (t) => {
    const clear = await png({ width: 2, height: 1, channels: 4 }, [255, 100, 50, 128, 255, 255, 255, 0]);
    const set = await openDataset(dataRef(await folders(t, { a: { '1.png': clear, '2.png': await grey(9, 2, 1) } })));
    assert.deepEqual(
      [set.shape, asBytes(await readAll(set))],
      [
        [3, 1, 2],
        [128, 0, 50, 0, 25, 0, 9, 9, 9, 9, 9, 9],
      ],
    );
  });

  it('resizes pictures when asked', async (t) => {
    const root = await folders(t, { a: { '1.png': await grey(40, 8, 6), '2.png': await grey(80, 3, 3) } });
    const set = await openDataset(dataRef(root), { resizeTo: [4, 5] });
    assert.deepEqual(
      [set.shape, asBytes(await readAll(set))],
      [
        [1, 4, 5],
        [...new Array<number>(20).fill(40), ...new Array<number>(20).fill(80)],
      ],
    );
  });

  it('read from disk equals the same folder in memory', async (t) => {
    const root = await folders(t, {
      a: { '1.png': await png({ width: 2, height: 1, channels: 3 }, [1, 2, 3, 4, 5, 6]) },
      b: { '1.png': await grey(9, 2, 1) },
    });
    const [loaded, streamed] = [
      await openDataset(dataRef(root)),
      await openDataset(dataRef(root), { memoryLimitBytes: 1 }),
    ];
    assert.deepEqual(await readItems(streamed, [1, 0, 1]), await readItems(loaded, [1, 0, 1]));
    assert.equal(streamed.fingerprint, loaded.fingerprint);
  });

  it('has a fingerprint that changes with a name as well as with a content', async (t) => {
    const root = await folders(t, { a: { '1.png': await grey(1) }, b: { '1.png': await grey(2) } });
    const before = (await openDataset(dataRef(root))).fingerprint;
    await rename(join(root, 'a', '1.png'), join(root, 'a', '2.png'));
    assert.notEqual((await openDataset(dataRef(root))).fingerprint, before);
  });

  const refused = [
    {
      name: 'a file that is no image',
      tree: async () => ({ a: { '1.png': await grey(1), 'notes.txt': 'x' } }),
      says: /notes\.txt is not an image/,
    },
    {
      name: 'text under the name of an image',
      tree: async () => ({ a: { '1.png': 'not a picture' } }),
      says: /1\.png cannot be read/,
    },
    {
      name: 'a truncated picture',
      tree: async () => ({
        a: {
          '1.png': (
            await sharp({
              create: {
                width: 64,
                height: 64,
                channels: 3,
                background: '#123456',
                noise: { type: 'gaussian', mean: 99, sigma: 40 },
              },
            })
              .png()
              .toBuffer()
          ).subarray(0, 3000),
        },
      }),
      says: /1\.png cannot be read/,
    },
    {
      name: 'an SVG under the name of a PNG',
      tree: async () => ({ a: { '1.png': '<svg xmlns="http://www.w3.org/2000/svg" width="2" height="2"/>' } }),
      says: /1\.png.*got something that begins with 3c737667/,
    },
    {
      name: 'a PNG of a few bytes that claims 40,000 × 40,000 pixels',
      tree: async () => ({ a: { '1.png': await claiming(40_000, 40_000) } }),
      says: /1\.png/,
    },
    {
      name: 'a PNG that claims the largest sizes there are',
      tree: async () => ({ a: { '1.png': await claiming(0x7fffffff, 0x7fffffff) } }),
      says: /1\.png/,
    },
    {
      name: 'a PDF under the name of a TIFF',
      tree: async () => ({ a: { '1.tiff': '%PDF-1.7 and so on' } }),
      says: /got something that begins with 25504446/,
    },
    { name: 'an empty picture file', tree: async () => ({ a: { '1.png': '' } }), says: /1\.png cannot be read/ },
    {
      name: 'an empty class folder',
      tree: async () => ({ a: { '1.png': await grey(1) }, b: {} }),
      says: /Class folder .*b is empty/,
    },
    {
      name: 'a picture of another size',
      tree: async () => ({ a: { '1.png': await grey(1), '2.png': await grey(1, 3, 2), '3.png': await grey(1, 5, 5) } }),
      says: /2\.png is 2 × 3, expected 2 × 2 .*; 1 more cannot be used/,
    },
    {
      name: 'loose pictures beside class folders',
      tree: async () => ({ '.': { '1.png': await grey(1) }, a: { '1.png': await grey(1) } }),
      says: /beside class folders/,
    },
    {
      name: 'folders nested too deep',
      tree: async () => ({ 'a/b/c/d/e/f': { '1.png': await grey(1) } }),
      says: /levels deep/,
    },
  ];
  for (const { name, tree, says } of refused) {
    it(`with ${name} is refused, naming it`, async (t) => {
      const root = await folders(t, await tree());
      await assert.rejects(openDataset(dataRef(root)), { name: 'WorkbenchError', message: says });
    });
  }

  it('tells of every picture that is wrong, so that they can be mended in one go', async (t) => {
    const root = await folders(t, {
      a: { '1.png': await grey(1), '2.png': 'text', '3.png': await grey(1), '4.png': '' },
      b: { '5.png': 'more text' },
    });
    await assert.rejects(openDataset(dataRef(root)), (error) => {
      assert.ok(error instanceof WorkbenchError);
      assert.match(error.message, /2\.png cannot be read.*; 2 more cannot be used$/);
      const { wrongFiles } = error.details as { wrongFiles: readonly { path: string; reason: string }[] };
      assert.deepEqual(
        wrongFiles.map(({ path }) => path.slice(root.length + 1).replaceAll('\\', '/')),
        ['a/2.png', 'a/4.png', 'b/5.png'],
      );
      assert.ok(wrongFiles.every(({ reason }) => /cannot be read/.test(reason)));
      return true;
    });
  });
});
