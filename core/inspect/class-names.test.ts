import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../jobs/testing/toy-workspace.ts';
import type { Inspection } from './inspection.ts';
import { inspectModel } from './inspect.ts';
import { findNameFiles, findPreprocessingFiles } from './preprocessing-files.ts';
import { tinyNetwork } from './testing/tiny-models.ts';

/** The tiny network of four classes, as if it lay at `path`. */
function inspected(path: string, metadata: Readonly<Record<string, string>> = {}): Inspection {
  const file = { path, sizeBytes: 1, sha256: '', hasExternalData: false, weights: {} };
  const beside = { settings: findPreprocessingFiles(path), nameFiles: findNameFiles(path) };
  return inspectModel({ ...tinyNetwork(), metadata }, { file, ...beside, speed: undefined });
}

const four = "{0: 'ash', 1: 'birch', 2: 'elm', 3: 'oak'}";

describe('the names of the classes of a model', () => {
  it('are found in its metadata', () => {
    assert.deepEqual(inspected('/nowhere/a.onnx', { names: four, imgsz: '[6, 6]' }).classNames, {
      value: ['ash', 'birch', 'elm', 'oak'],
      source: 'the metadata of the file',
    });
    assert.equal(inspected('/nowhere/a.onnx').classNames, null);
  });

  it('are found in the settings and lists beside it, which are believed first', (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, 'onnx'));
    const path = join(folder, 'onnx', 'model.onnx');
    writeFileSync(join(folder, 'labels.txt'), 'a\nb\nc\nd\n');
    assert.equal(inspected(path, { names: four }).classNames?.source, 'labels.txt');
    writeFileSync(join(folder, 'config.json'), '{"id2label": {"0": "w", "1": "x", "2": "y", "3": "z"}}');
    assert.deepEqual(inspected(path).classNames, { value: ['w', 'x', 'y', 'z'], source: 'config.json' });
  });

  it('of another number of classes are not used, and that is said', () => {
    const { classNames, warnings } = inspected('/nowhere/a.onnx', { names: "['a', 'b']" });
    assert.equal(classNames, null);
    assert.deepEqual(
      warnings.filter(({ code }) => code === 'class-names').map(({ message }) => message),
      ['There are 2 names of classes in the metadata of the file, and 4 classes: they are not used.'],
    );
  });
});
