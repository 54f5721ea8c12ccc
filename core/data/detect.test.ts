import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { filesBeside } from './detect.ts';

describe('files that are read along with one', () => {
  it('are those of its labels, and the pictures of a table', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'palimpsest-beside-'));
    t.after(() => rmSync(folder, { recursive: true }));
    mkdirSync(join(folder, 'a'));
    const files: readonly (readonly [string, string | Uint8Array])[] = [
      ['t10k-images-idx3-ubyte', Uint8Array.of(0, 0, 8, 3)],
      ['t10k-labels-idx1-ubyte', Uint8Array.of(0, 0, 8, 1)],
      ['images.npy', Uint8Array.of(0x93, 0x4e)],
      ['labels.npy', ''],
      ['table.csv', 'path,label\na/1.png,cat\na/2.png,dog\n'],
      ['alone.csv', 'label,p0,p1,p2,p3\n1,0,0,0,0\n'],
      ['broken.csv', 'path,label\na/1.png\n'],
    ];
    for (const [name, content] of files) writeFileSync(join(folder, name), content);
    const beside = async (name: string): Promise<readonly string[]> => {
      const found = await filesBeside({ path: join(folder, name), format: 'auto' });
      return found.map((path) => path.slice(folder.length + 1).replaceAll('\\', '/'));
    };
    assert.deepEqual(await beside('t10k-images-idx3-ubyte'), ['t10k-labels-idx1-ubyte']);
    assert.deepEqual(await beside('images.npy'), ['labels.npy']);
    assert.deepEqual(await beside('table.csv'), ['a/1.png', 'a/2.png']);
    for (const name of ['alone.csv', 'broken.csv', 'a', 'nothing']) assert.deepEqual(await beside(name), [], name);
  });
});
