import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { WorkbenchError, type ErrorCode } from '../../base/errors.ts';
import { openDataset, type ImageSet, type OpenOptions } from '../dataset.ts';
import { asBytes, dataRef, readAll, temporaryFolder, writeFiles } from '../testing/fixtures.ts';

type Files = Readonly<Record<string, Uint8Array | string>>;

async function opened(t: TestContext, files: Files, options?: OpenOptions): Promise<ImageSet> {
  const folder = await temporaryFolder(t);
  await writeFiles(folder, files);
  return openDataset(dataRef(folder), options);
}

/** Labels and pixels of a table of 2 × 2 images. */
async function contents(t: TestContext, table: Uint8Array | string): Promise<[number[] | undefined, number[]]> {
  const set = await opened(t, { 'a.csv': table });
  assert.deepEqual([set.format, set.shape.join()], ['csv', '1,2,2']);
  return [set.labels && [...set.labels], asBytes(await readAll(set))];
}

const sound: [number[], number[]] = [
  [3, 1],
  [0, 10, 20, 255, 4, 5, 6, 7],
];

describe('a table of pixels', () => {
  const tables: Readonly<Record<string, Uint8Array | string>> = {
    'without names': '3,0,10,20,255\n1,4,5,6,7\n',
    'with names': 'label,p0,p1,p2,p3\n3,0,10,20,255\n1,4,5,6,7\n',
    'whose pixels are named by numbers': 'label,0,1,2,3\n3,0,10,20,255\n1,4,5,6,7\n',
    'with the label between the pixels': 'a,b,Label,c,d\n0,10,3,20,255\n4,5,1,6,7\n',
    'with names and the label last': 'a,b,c,d,class\n0,10,20,255,3\n4,5,6,7,1\n',
    'with Windows line ends, a byte order mark and no last line end': '\ufeff3,0,10,20,255\r\n1,4,5,6,7',
    'with semicolons and blanks': '3; 0; 10;20 ;255\n\n1;4;5;6;7\n',
    'with tabs': '3\t0\t10\t20\t255\n1\t4\t5\t6\t7\n',
    'with quotes': '"label","p0","p1","p2","p3"\n"3","0","10","20","255"\n1,"4",5,6,7\n',
    'with whole numbers as decimals': '3,0.0,10.0,2e1,255.\n1.0,4.0,5.0,6.0,7.0\n',
  };
  for (const [title, table] of Object.entries(tables)) {
    it(`${title} gives its labels and pixels`, async (t) => {
      assert.deepEqual(await contents(t, table), sound);
    });
  }

  it('takes fractions to be from 0 to 1, and finds the label behind them', async (t) => {
    assert.deepEqual(await contents(t, '0.2,0.4,0.6,1,7\n0,0,0,0.8,2\n'), [
      [7, 2],
      [51, 102, 153, 255, 0, 0, 0, 204],
    ]);
  });

  it('takes fractions beyond 1 to be from 0 to 255', async (t) => {
    assert.deepEqual((await contents(t, '1,127.5,51,0,255\n0,0,1,2,3.5\n'))[1].slice(0, 4), [128, 51, 0, 255]);
  });

  it('of zeros and ones is black and white', async (t) => {
    assert.deepEqual(await contents(t, '1,0,1,1,0\n2,0,1,0,0\n'), [
      [1, 2],
      [0, 255, 255, 0, 0, 255, 0, 0],
    ]);
  });

  it('without a column for labels has none', async (t) => {
    const set = await opened(t, { 'a.csv': '1,2,3,4,5,6,7,8,9\n' });
    assert.deepEqual([set.labels, set.shape], [undefined, [1, 3, 3]]);
    assert.deepEqual(asBytes(await readAll(set)), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('may hold images of three channels, plane after plane', async (t) => {
    const pixels = Array.from({ length: 12 }, (_, i) => 20 * i);
    const set = await opened(t, { 'a.csv': `4,${pixels.join()}\n` });
    assert.deepEqual([set.shape, asBytes(await readAll(set))], [[3, 2, 2], pixels]);
  });

  it('takes the size of the model where its rows fit that', async (t) => {
    const row = Array.from({ length: 16 }, (_, i) => i).join();
    const set = await opened(t, { 'a.csv': `2,${row}\n` }, { resizeTo: [2, 8] });
    assert.deepEqual([set.shape, [...(set.labels ?? [])]], [[1, 2, 8], [2]]);
  });

  it('is read in pieces: lines may lie across them', async (t) => {
    const row = (item: number): string =>
      `${item % 7},${Array.from({ length: 784 }, (_, i) => (item + i) % 256).join()}\n`;
    const count = 700;
    const set = await opened(t, { 'a.csv': Array.from({ length: count }, (_, item) => row(item)).join('') });
    assert.deepEqual([set.count, set.shape, [...(set.labels ?? [])].at(-1)], [count, [1, 28, 28], 699 % 7]);
    const all = asBytes(await readAll(set));
    assert.ok(all.every((value, i) => value === (Math.floor(i / 784) + (i % 784)) % 256));
  });

  it('in a folder with others is found by the name of its split', async (t) => {
    const folder = await temporaryFolder(t);
    await writeFiles(folder, {
      'mnist_train.csv': '3,0,1,2,3\n',
      'mnist_test.csv': '5,9,8,7,6\n',
      'labels.txt': 'a\nb\nc\nd\ne\nf\n',
    });
    const test = await openDataset(dataRef(folder, { split: 'test' }));
    assert.deepEqual([[...(test.labels ?? [])], test.labelNames?.length], [[5], 6]);
    assert.deepEqual([...((await openDataset(dataRef(folder))).labels ?? [])], [3, 5]);
    const named = await openDataset(dataRef(join(folder, 'mnist_test.csv'), { split: 'train' }));
    assert.deepEqual([...(named.labels ?? [])], [5]);
  });
});

interface Refused {
  readonly name: string;
  readonly files: Files;
  readonly options?: OpenOptions;
  readonly code: ErrorCode;
  readonly says: RegExp;
}

const refused = (name: string, table: Uint8Array | string, code: ErrorCode, says: RegExp): Refused => ({
  name,
  files: { 'a.csv': table },
  code,
  says,
});

const cases: readonly Refused[] = [
  refused('an empty file', '', 'DATA_UNREADABLE', /is empty/),
  refused('only line ends', '\n\r\n\n', 'DATA_UNREADABLE', /holds no images/),
  refused('only names', 'label,a,b,c,d\n', 'DATA_UNREADABLE', /holds no images/),
  refused('a line that is too short', '1,2,3,4,5\n1,2,3,4\n', 'DATA_UNREADABLE', /line 2 has 4 columns, expected 5/),
  refused('a line that is too long', '1,2,3,4,5\n1,2,3,4,5,6\n', 'DATA_UNREADABLE', /line 2 has 6 columns, expected 5/),
  refused(
    'a line that ends with a separator',
    '1,2,3,4,5\n1,2,3,4,5,\n',
    'DATA_UNREADABLE',
    /column 6: expected a number, got ""/,
  ),
  refused('images of no size', '1,2,3,4,5,6,7\n', 'DATA_UNSUITABLE', /has 7 columns, expected a label and the pixels/),
  refused('some other table', '1,2\n3,4\n', 'DATA_UNSUITABLE', /has 2 columns/),
  refused('a word for a pixel', '1,2,3,x,5\n', 'DATA_UNREADABLE', /line 1, column 4: expected a number, got "x"/),
  refused('a word for a label', 'label,a,b,c,d\ncat,2,3,4,5\n', 'DATA_UNREADABLE', /line 2, column 1: .* got "cat"/),
  refused('a missing value', '1,2,,4,5\n', 'DATA_UNREADABLE', /column 3: expected a number, got ""/),
  refused('not a number', '1,2,3,nan,5\n', 'DATA_UNREADABLE', /got "nan"/),
  refused('infinity by its exponent', '1,2,3,1e999,5\n', 'DATA_UNSUITABLE', /the pixel is Infinity/),
  refused('a hexadecimal number', '1,2,3,0x10,5\n', 'DATA_UNREADABLE', /got "0x10"/),
  refused('pixels beyond 255', '1,2,3,256,5\n', 'DATA_UNSUITABLE', /line 1, column 4: the pixel is 256/),
  refused('pixels below 0', '1,2,3,-1,5\n', 'DATA_UNSUITABLE', /the pixel is -1/),
  refused('a last pixel beyond 255', '1,2,3,4,999\n', 'DATA_UNSUITABLE', /item 0: the pixel is 999/),
  refused('a label that is no whole number', 'label,a,b,c,d\n1.5,2,3,4,5\n', 'DATA_UNREADABLE', /item 0 is 1\.5/),
  refused('a negative label', 'label,a,b,c,d\n-1,2,3,4,5\n', 'DATA_UNREADABLE', /item 0 is -1/),
  refused('a label beyond 32 bits', 'label,a,b,c,d\n4294967296,2,3,4,5\n', 'DATA_UNREADABLE', /item 0 is 4294967296/),
  refused('two columns of labels', 'label,a,b,c,class\n1,2,3,4,5\n', 'DATA_UNSUITABLE', /columns 1, 5 labels/),
  refused('labels first or last', '0,2,3,4,5\n0,2,3,4,6\n', 'DATA_UNSUITABLE', /may both be the label/),
  refused('a quote that is open', '1,2,"3,4,5\n', 'DATA_UNREADABLE', /column 3: a quote is never closed/),
  refused('text after a quote', '1,2,"3"4,5,6\n', 'DATA_UNREADABLE', /after the closing quote, got "4"/),
  refused('a quote inside a number', '1,2,3"3,4,5\n', 'DATA_UNREADABLE', /got "3\\?"3"/),
  refused('zero bytes', '1,2,3,\0\0,5\n', 'DATA_UNREADABLE', /got zero bytes/),
  refused('UTF-16', Buffer.from('\ufeff1,2,3,4,5\n', 'utf16le'), 'DATA_UNREADABLE', /UTF-16/),
  refused(
    'a field without end',
    `1,2,3,${'9'.repeat(100_000)},5\n`,
    'DATA_UNREADABLE',
    /100,000 bytes that begin with "99/,
  ),
  refused('a million fields', `${'1,'.repeat(999_999)}\n`, 'DATA_UNREADABLE', /expected a number, got ""/),
  refused('a line without end', '0,'.repeat(17_000_000), 'DATA_UNREADABLE', /line 1 has more than 33,554,432 bytes/),
  refused('escape sequences', '1,2,3,\u001b[2J,5\n', 'DATA_UNREADABLE', /got "\\u001b\[2J"/),
  refused(
    'bytes that are no text',
    Uint8Array.of(0x31, 0x2c, 0xff, 0xc0, 0x2c, 0x31, 0x2c, 0x31, 0x2c, 0x31),
    'DATA_UNREADABLE',
    /expected a number/,
  ),
  {
    name: 'labels beyond the classes',
    files: { 'a.csv': '9,2,3,4,5\n' },
    options: { classCount: 5 },
    code: 'DATA_UNSUITABLE',
    says: /label of item 0 is 9, expected 0 to 4/,
  },
  {
    name: 'several tables of no split',
    files: { 'a.csv': '1,2,3,4,5\n', 'b.csv': '1,2,3,4,5\n' },
    code: 'DATA_UNSUITABLE',
    says: /holds 2 tables/,
  },
];

describe('a table with', () => {
  for (const { name, files, options, code, says } of cases) {
    it(`${name} is refused with ${code} and a hint`, async (t) => {
      await assert.rejects(opened(t, files, options), (error) => {
        assert.ok(error instanceof WorkbenchError, String(error));
        assert.match(error.message, says);
        assert.ok(error.message.length < 400);
        assert.equal(error.code, code);
        assert.ok(error.hint);
        return true;
      });
    });
  }
});
