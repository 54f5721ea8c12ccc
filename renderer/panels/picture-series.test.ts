import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Artifact } from '../../core/contract/run.ts';
import { pictureItems } from './picture-series.ts';

const artifact = (name: string, mediaType = 'image/png'): Artifact => ({
  name,
  title: name,
  mediaType,
  sha256: 'a'.repeat(64),
  sizeBytes: 1,
  meta: {},
});

describe('the pictures of a run', () => {
  it('that differ in the number at their end are a series in its order, where the first of them came', () => {
    const names = ['map.png', 'image-200.png', 'worst', 'image-50.png', 'image-100.png', 'model.onnx'];
    const items = pictureItems(
      names.map((name) => artifact(name, name === 'model.onnx' ? 'application/octet-stream' : 'image/png')),
    );
    assert.deepEqual(
      items.map((item) => (item.kind === 'one' ? item.picture.name : [item.name, item.pictures.map(({ at }) => at)])),
      ['map.png', ['image', [50, 100, 200]], 'worst'],
    );
  });

  it('with a number but without others of its kind stand alone', () => {
    assert.deepEqual(
      pictureItems([artifact('epsilon-8'), artifact('lenet5.png')]).map(({ kind }) => kind),
      ['one', 'one'],
    );
  });
});
