import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { hashExternalFiles } from './external-files.ts';
import { bytesOf } from '../onnx/testing/model-bytes.ts';

const shaOf = (text: string): string => createHash('sha256').update(text).digest('hex');

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'palimpsest-external-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** A model whose tensors stand in the files of these names. */
function modelIn(folder: string, ...locations: readonly string[]): string {
  const initializer = locations.map((location, i) => ({
    name: `w${i}`,
    dims: [1n],
    dataType: 1,
    dataLocation: 1,
    externalData: [
      { key: 'location', value: location },
      { key: 'length', value: '4' },
    ],
  }));
  const path = join(folder, 'model.onnx');
  writeFileSync(path, bytesOf({ node: [], output: [{ name: 'w0' }], initializer }));
  return path;
}

describe('the hashes of files beside a model', () => {
  it('are those of every file that holds weights, each once', async (t) => {
    const folder = folderOf(t);
    mkdirSync(join(folder, 'data'));
    writeFileSync(join(folder, 'model.onnx.data'), 'abcd');
    writeFileSync(join(folder, 'data', 'more.bin'), 'efgh');
    const path = modelIn(folder, 'model.onnx.data', './model.onnx.data', 'data/more.bin');
    assert.deepEqual(await hashExternalFiles(path), {
      'model.onnx.data': shaOf('abcd'),
      'data/more.bin': shaOf('efgh'),
    });
    writeFileSync(join(folder, 'model.onnx.data'), 'abce');
    assert.equal((await hashExternalFiles(path))['model.onnx.data'], shaOf('abce'));
  });

  it('are none for a model in one file', async (t) => {
    const path = join(folderOf(t), 'model.onnx');
    writeFileSync(
      path,
      bytesOf({ node: [], output: [{ name: 'w' }], initializer: [{ name: 'w', dims: [], dataType: 1 }] }),
    );
    assert.deepEqual(await hashExternalFiles(path), {});
  });

  it('touch nothing outside the folder and no link', async (t) => {
    const folder = folderOf(t);
    mkdirSync(join(folder, 'inner'));
    writeFileSync(join(folder, 'secret.bin'), 'abcd');
    symlinkSync('/dev/zero', join(folder, 'inner', 'endless.bin'));
    const path = modelIn(join(folder, 'inner'), '../secret.bin', 'endless.bin', '/dev/zero', 'missing.bin');
    assert.deepEqual(await hashExternalFiles(path), {});
  });
});
