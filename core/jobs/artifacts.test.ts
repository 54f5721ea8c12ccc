import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { artifactFile } from '../contract/layout.ts';
import { storeArtifact } from './artifacts.ts';
import { temporaryFolder } from './testing/toy-workspace.ts';

describe('the file of an artifact', () => {
  it('that is there already is told from an old one by its time, and is replaced when it is not whole', (t) => {
    const dir = temporaryFolder(t);
    const content = { bytes: Uint8Array.of(1, 2, 3), mediaType: 'application/octet-stream' };
    const store = (atMs: number) => storeArtifact(dir, { type: 'artifact', name: 'a', title: 'A', content }, atMs);
    const path = join(dir, artifactFile(store(1000).sha256));
    utimesSync(path, 1, 1);
    const { ino } = statSync(path);
    store(5000);
    assert.deepEqual([statSync(path).mtimeMs, statSync(path).ino], [5000, ino]);
    writeFileSync(path, 'x');
    store(6000);
    assert.equal(statSync(path).size, 3);
  });

  it('that the method has written itself is taken away from it', (t) => {
    const dir = temporaryFolder(t);
    const file = join(dir, 'made');
    const store = () => {
      writeFileSync(file, new Uint8Array(3 * 2 ** 20).fill(7));
      const content = { file, mediaType: 'application/zip' };
      return storeArtifact(dir, { type: 'artifact', name: 'a', title: 'A', content }, 1000);
    };
    const stored = store();
    assert.deepEqual([stored.sizeBytes, stored.mediaType], [3 * 2 ** 20, 'application/zip']);
    const bytes = readFileSync(join(dir, artifactFile(stored.sha256)));
    assert.equal(createHash('sha256').update(bytes).digest('hex'), stored.sha256);
    assert.ok(!existsSync(file));
    assert.deepEqual(store(), stored);
    assert.ok(!existsSync(file));
  });
});
