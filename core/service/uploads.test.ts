import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { temporaryFolder } from '../jobs/testing/toy-workspace.ts';
import { openUploads } from './uploads.ts';

describe('uploads', () => {
  it('that windows have left behind make room for others, those that go on stay', (t) => {
    const dir = temporaryFolder(t);
    const clock = { atMs: 0 };
    const uploads = openUploads(dir, () => clock.atMs);
    const begin = (): string => uploads.begin({ kind: 'model', files: [{ path: 'a.onnx', sizeBytes: 9 }] }).uploadId;
    const [slow = '', ...left] = Array.from({ length: 8 }, begin);
    assert.throws(begin, { code: 'RUN_STATE' });
    clock.atMs = 9 * 60_000;
    uploads.append(slow, 0, 0, new Uint8Array(4));
    clock.atMs = 11 * 60_000;
    const next = begin();
    assert.deepEqual(readdirSync(join(dir, 'uploads', 'partial')).toSorted(), [slow, next].toSorted());
    for (const each of left) assert.throws(() => uploads.append(each, 0, 0, new Uint8Array(1)), { code: 'USAGE' });
    assert.equal(uploads.append(slow, 0, 4, new Uint8Array(5)), 9);
  });

  it('of a model with its weights and settings are opened by the model, of several models by none', (t) => {
    const uploads = openUploads(temporaryFolder(t), () => 0);
    const send = (...paths: readonly string[]): string => {
      const { uploadId } = uploads.begin({ kind: 'model', files: paths.map((path) => ({ path, sizeBytes: 0 })) });
      return uploads.finish(uploadId).path;
    };
    assert.match(send('net/config.json', 'net/Model.ONNX', 'net/model.onnx.data'), /net.Model\.ONNX$/);
    assert.throws(() => send('a.onnx', 'b.onnx'), { code: 'USAGE', message: /one \.onnx file.* got 2 among 2/ });
    assert.throws(() => send('a.data', 'b.json'), { code: 'USAGE', message: /got none among 2/ });
  });
});
