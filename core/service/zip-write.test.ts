import assert from 'node:assert/strict';
import { closeSync, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { unzipSync } from 'fflate';
import { temporaryFolder } from '../jobs/testing/toy-workspace.ts';
import { openZip } from './bundle/zip-entries.ts';
import type { Content } from './content.ts';
import { readPart, zipOf, type ZipPart } from './zip-write.ts';

const bytesOf = (content: Content): Buffer => Buffer.concat([...content.pieces()]);
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('a zip file that is written', () => {
  it('is read by others, name by name, text packed and the rest as it is', async () => {
    const text = encode('ab'.repeat(5000));
    const sources = [
      { path: 'ä/text.csv', pieces: () => [text.subarray(0, 7), text.subarray(7)], isText: true },
      { path: 'empty', pieces: () => [], isText: false },
      { path: 'model.onnx', pieces: () => [text], isText: false },
    ];
    const zip = zipOf(await Promise.all(sources.map(readPart)));
    const bytes = bytesOf(zip);
    assert.equal(bytes.byteLength, zip.sizeBytes);
    assert.ok(bytes.byteLength < 1.1 * text.byteLength);
    const plain = { 'ä/text.csv': text, empty: new Uint8Array(), 'model.onnx': text };
    assert.deepEqual({ ...unzipSync(bytes) }, plain);
    assert.deepEqual(bytesOf(zip), bytes);
  });

  it('of files beyond 4 GiB, and of more than 65,535, is found right by our own reader', async (t) => {
    const small = await readPart({ path: 'small', pieces: () => [encode('small')], isText: true });
    const large: ZipPart = {
      ...small,
      path: 'large',
      method: 0,
      sizeBytes: 5e9,
      packed: { sizeBytes: 5e9, pieces: () => [] },
    };
    const many = Array.from({ length: 70_000 }, (_, i) => ({ ...small, path: `${i}` }));
    const path = join(temporaryFolder(t), 'large.zip');
    // Its 5 GB are a hole in the file.
    const zip = zipOf([large, { ...small, path: 'after' }, ...many]);
    const pieces = [...zip.pieces()];
    const [head] = pieces;
    assert.ok(head);
    const handle = openSync(path, 'w');
    writeSync(handle, head, 0, head.byteLength, 0);
    const rest = Buffer.concat(pieces.slice(1));
    writeSync(handle, rest, 0, rest.byteLength, head.byteLength + 5e9);
    closeSync(handle);
    assert.equal(statSync(path).size, zip.sizeBytes);
    const opened = openZip(path);
    t.after(() => opened.close());
    assert.equal(opened.entries.length, 70_002);
    const [first, second] = opened.entries;
    assert.ok(first && second);
    assert.deepEqual([first.name, first.sizeBytes, first.packedBytes], ['large', 5e9, 5e9]);
    assert.ok(second.headerOffset > 5e9);
    assert.equal(new TextDecoder().decode(opened.read(second)), 'small');
    const [piece] = opened.pieces(first);
    assert.equal(piece?.byteLength, 2 ** 20);
  });
});
