import assert from 'node:assert/strict';
import { statSync, utimesSync, writeFileSync } from 'node:fs';
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
});
