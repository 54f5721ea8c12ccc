import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import sharp from 'sharp';
import { WorkbenchError } from '../../base/errors.ts';
import type { DataRef } from '../../contract/run.ts';
import { openDataset } from '../dataset.ts';
import { asBytes, dataRef, readAll, temporaryFolder, writeFiles } from '../testing/fixtures.ts';

const grey = (value: number): Promise<Buffer> =>
  sharp(new Uint8Array(4).fill(value), { raw: { width: 2, height: 2, channels: 1 } })
    .toColourspace('b-w')
    .png()
    .toBuffer();

/** A folder with four pictures, 10 to 13, in `images`, beside the files given. */
async function folder(t: TestContext, files: Readonly<Record<string, string>>): Promise<string> {
  const root = await temporaryFolder(t);
  await mkdir(join(root, 'images'));
  for (const i of [0, 1, 2, 3]) await writeFiles(join(root, 'images'), { [`${i}.png`]: await grey(10 + i) });
  await writeFiles(root, files);
  return root;
}

/** Format, labels, their names, and the first pixel of each picture. */
async function contents(ref: DataRef): Promise<unknown[]> {
  const set = await openDataset(ref);
  const pixels = asBytes(await readAll(set)).filter((_, i) => i % 4 === 0);
  const found = [set.format, set.labels && [...set.labels], set.labelNames, pixels];
  await set.close();
  return found;
}

describe('a table of paths', () => {
  it('gives pictures their labels by name, in the order of the names', async (t) => {
    const root = await folder(t, {
      'labels.csv': 'file_name,label\nimages/3.png,dog\nimages/0.png,cat\n./images/1.png,dog\n',
    });
    const expected = ['csv', [1, 0, 1], ['cat', 'dog'], [13, 10, 11]];
    assert.deepEqual(await contents(dataRef(join(root, 'labels.csv'))), expected);
    assert.deepEqual(await contents(dataRef(root)), expected);
  });

  it('needs no names of columns where there are two', async (t) => {
    const root = await folder(t, { 'a.tsv': '7\timages/2.png\r\n3\timages\\0.png\r\n' });
    assert.deepEqual(await contents(dataRef(join(root, 'a.tsv'))), ['csv', [7, 3], undefined, [12, 10]]);
  });

  it('numbers names as labels.txt does', async (t) => {
    const root = await folder(t, { 'a.csv': 'image;class\nimages/0.png;cat\n', 'labels.txt': 'dog\ncat\n' });
    assert.deepEqual(await contents(dataRef(join(root, 'a.csv'))), ['csv', [1], ['dog', 'cat'], [10]]);
  });

  it('has the splits that a column names; validation is tested on where there is nothing else', async (t) => {
    const rows = 'images/0.png,a,train\nimages/1.png,b,val\nimages/2.png,a,train\n';
    const root = await folder(t, { 'a.csv': `path,label,split\n${rows}` });
    const at = (split: DataRef['split']): Promise<unknown[]> => contents(dataRef(join(root, 'a.csv'), { split }));
    assert.deepEqual(await at('train'), ['csv', [0, 0], ['a', 'b'], [10, 12]]);
    assert.deepEqual(await at('test'), ['csv', [1], ['a', 'b'], [11]]);
    assert.deepEqual((await at('all'))[3], [10, 12, 11]);
  });

  it('without labels is a set without labels', async (t) => {
    const root = await folder(t, { 'a.csv': 'path,width,height\nimages/0.png,2,2\n' });
    assert.deepEqual((await contents(dataRef(join(root, 'a.csv'))))[1], undefined);
  });

  it('names every file that cannot be used', async (t) => {
    const root = await folder(t, { 'a.csv': 'path,label\nimages/0.png,a\nimages/9.png,a\nno.png,b\na.csv,b\n' });
    await assert.rejects(openDataset(dataRef(join(root, 'a.csv'))), (error: unknown) => {
      assert.ok(error instanceof WorkbenchError);
      assert.equal(error.code, 'DATA_UNREADABLE');
      const { wrongFiles } = error.details as { wrongFiles: readonly { path: string }[] };
      assert.deepEqual(
        wrongFiles.map(({ path }) => path),
        ['images/9.png', 'no.png', 'a.csv'].map((path) => join(root, path)),
      );
      return true;
    });
  });

  const bad: Readonly<Record<string, readonly [table: string, says: RegExp]>> = {
    'a path that leaves the folder': [
      'path,label\n../x.png,a\n',
      /line 2: the path is "\.\.\/x\.png", expected one below/,
    ],
    'an absolute path': ['path,label\n/etc/passwd,a\n', /the path is "\/etc\/passwd"/],
    'a path on another drive': ['path,label\nC:\\x.png,a\n', /expected one below/],
    'a line that is cut off': ['path,label\nimages/0.png\n', /line 2 has 1 columns, expected 2/],
    'a picture without a label': ['path,label\nimages/0.png,\n', /line 2 has no label/],
    'an unknown split': ['path,label,split\nimages/0.png,a,dev2\n', /the split is "dev2", expected train, val or test/],
    'names of columns alone': ['path,label\n', /holds no images/],
  };
  for (const [what, [table, says]] of Object.entries(bad)) {
    it(`is refused with ${what}`, async (t) => {
      const root = await folder(t, { 'a.csv': table });
      await assert.rejects(openDataset(dataRef(join(root, 'a.csv'))), { message: says });
    });
  }
});
