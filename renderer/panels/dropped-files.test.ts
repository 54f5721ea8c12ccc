import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isHidden } from './dropped-files.ts';

it('what systems leave in a folder is not among its files', () => {
  for (const path of ['cats/.DS_Store', '.git/config', '__MACOSX/cats/1.png', 'Thumbs.db'])
    assert.ok(isHidden(path), path);
  for (const path of ['cats/1.png', 'a.b/c.onnx']) assert.ok(!isHidden(path), path);
});
