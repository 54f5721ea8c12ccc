import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { float32 } from '../base/tensor.ts';
import { writeArchive, writeLines } from './archive.ts';
import { openDataset } from './dataset.ts';
import { npyBytes, npyHeader } from './write.ts';

const dir = mkdtempSync(join(tmpdir(), 'palimpsest-'));
after(() => rmSync(dir, { recursive: true, force: true }));
const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

describe('an archive written piece by piece', () => {
  const images = Float32Array.of(0, 0.25, 0.5, 0.75, 1, 0.125, 0.375, 0.625);
  const written = async (name: string): Promise<string> => {
    const path = join(dir, 'made', name);
    await writeArchive(path, async (add) => {
      const pieces = async function* (): AsyncGenerator<Uint8Array, void> {
        yield npyHeader('float32', [2, 1, 2, 2]);
        yield bytesOf(images.subarray(0, 4));
        yield bytesOf(images.subarray(4));
      };
      await add('images.npy', pieces());
      await add('labels.npy', [npyBytes(float32([2], [1, 0]))]);
    });
    return path;
  };

  it('is opened as data, and has the same bytes each time', async () => {
    const path = await written('a.npz');
    assert.deepEqual(readFileSync(path), readFileSync(await written('b.npz')));
    const set = await openDataset({ path, format: 'auto', split: 'all' });
    const out = new Float32Array(8);
    await set.read([0, 1], out);
    assert.deepEqual(out, images);
    assert.deepEqual([...(set.labels ?? [])], [1, 0]);
    await set.close();
  });

  it('ends with what a piece throws', async () => {
    const work = writeArchive(join(dir, 'c.npz'), (add) =>
      add(
        'images.npy',
        (async function* () {
          yield npyHeader('float32', [1]);
          throw new DOMException('stopped', 'AbortError');
        })(),
      ),
    );
    await assert.rejects(work, { name: 'AbortError' });
  });
});

describe('lines written piece by piece', () => {
  it('are all there, with a pause now and then', async () => {
    const path = join(dir, 'lines');
    const lines = Array.from({ length: 60_000 }, (_, i) => `line ${i}`);
    let pauses = 0;
    await writeLines(path, lines, '\r\n', async () => void pauses++);
    assert.equal(readFileSync(path, 'utf8'), lines.map((line) => `${line}\r\n`).join(''));
    assert.ok(pauses > 1 && pauses < 10, `${pauses}`);
  });
});
