import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { RunRequest } from '../contract/run.ts';
import { admitModels } from './admit-models.ts';
import { bundledFolder } from './path-names.ts';
import { openToyService } from './testing/toy-service.ts';

const bundled = join(bundledFolder, 'lenet5-mnist.onnx');

let folder = '';
let list = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'palimpsest-admit-'));
  list = join(folder, 'admitted-models.json');
});
afterEach(() => rmSync(folder, { recursive: true }));

const models = (...paths: readonly string[]): RunRequest['models'] =>
  Object.fromEntries(paths.map((path, i) => [`model${i}`, { kind: 'file', path }]));

describe('a model file before a run', () => {
  it('is opened apart once, and known by its content from then on', async () => {
    const [own, again] = [join(folder, 'own.onnx'), join(folder, 'again.onnx')];
    copyFileSync(bundled, own);
    copyFileSync(bundled, again);
    await admitModels(models(own, bundled), folder, () => performance.now());
    const written = readFileSync(list, 'utf8');
    assert.match(written, /"schema": "palimpsest\.admitted\/1"/);
    assert.equal(written.match(/[0-9a-f]{64}/g)?.length, 1);
    writeFileSync(list, written.replace('"sha256"', '"note": "kept", "sha256"'));
    await admitModels(models(again), folder, () => performance.now());
    assert.match(readFileSync(list, 'utf8'), /"note"/, 'not opened again, so not written again');
  });

  it('is opened anew when the list is damaged or of another version', async () => {
    const own = join(folder, 'own.onnx');
    copyFileSync(bundled, own);
    writeFileSync(list, '{"schema":"palimpsest.admitted/1","palimpsest":"0","onnxruntime":"0","sha256":["x"]}');
    await admitModels(models(own), folder, () => performance.now());
    assert.doesNotMatch(readFileSync(list, 'utf8'), /"x"/);
  });

  it('is left to the run when it is bundled or simply bad', async () => {
    const text = join(folder, 'text.onnx');
    writeFileSync(text, 'this is no model');
    await admitModels(models(bundled, text), folder, () => performance.now());
    assert.ok(!existsSync(list));
  });

  it('is opened apart before its pre-processing is tried, too', async () => {
    const own = join(folder, 'own.onnx');
    copyFileSync(bundled, own);
    const service = openToyService(folder);
    const data = { path: folder, format: 'image-folder', split: 'all' };
    await service.request('models.sanity', { path: own, data, count: 10 });
    await service.close();
    assert.match(readFileSync(list, 'utf8'), /[0-9a-f]{64}/);
  });
});
