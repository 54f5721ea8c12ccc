import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../jobs/testing/toy-workspace.ts';
import { listFolder } from './list-folder.ts';

describe('what lies in a folder', () => {
  it('is listed whatever else is in it: links in a circle, to nowhere, and hidden files are left out', (t) => {
    const dir = temporaryFolder(t);
    writeFileSync(join(dir, 'a.onnx'), 'abc');
    mkdirSync(join(dir, 'images'));
    writeFileSync(join(dir, '.hidden'), '');
    symlinkSync('circle', join(dir, 'circle'));
    symlinkSync('gone', join(dir, 'nowhere'));
    symlinkSync('images', join(dir, 'linked'));
    const { path, parent, entries } = listFolder(dir);
    assert.deepEqual([path, parent], [dir, dirname(dir)]);
    assert.deepEqual(
      entries.map(({ name, isFolder }) => [name, isFolder]),
      [
        ['images', true],
        ['linked', true],
        ['a.onnx', false],
      ],
    );
    assert.equal(entries[2]?.sizeBytes, 3);
  });

  it('is cut at its end, when it is in order', (t) => {
    const dir = temporaryFolder(t);
    for (const name of ['a', 'b']) writeFileSync(join(dir, name), '');
    mkdirSync(join(dir, 'z'));
    assert.deepEqual(
      listFolder(dir, 2).entries.map(({ name }) => name),
      ['z', 'a'],
    );
  });

  it('is refused with a reason when it is none', (t) => {
    assert.throws(() => listFolder(join(temporaryFolder(t), 'nothing')), { code: 'USAGE' });
  });
});
