import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { openSpill } from './spill.ts';

const dir = mkdtempSync(join(tmpdir(), 'palimpsest-'));
after(() => rmSync(dir, { recursive: true, force: true }));

describe('a spill file', () => {
  it('gives back what was put there, in parts, and after it was opened anew', async () => {
    const path = join(dir, 'folder', 'a.bin');
    const first = openSpill(path, { isNew: true });
    const places = [Float32Array.of(1, 2, 3), Float32Array.of(4, 5)].map((values) => first.write(values));
    const [a, b] = places;
    assert.ok(a && b);
    first.sync();
    await first.close();
    const again = openSpill(path, { isNew: false });
    const c = again.write(Float32Array.of(6));
    assert.deepEqual([...again.read(a, 1, 3)], [2, 3]);
    assert.deepEqual([...again.read(b, 0, 2)], [4, 5]);
    assert.deepEqual([...again.read(c, 0, 1)], [6]);
    assert.ok([a, b, c].every((place) => again.holds(place)));
    await again.close();
    const empty = openSpill(path, { isNew: true });
    assert.ok(!empty.holds(a));
    await empty.close();
  });

  it('knows what has changed or gone, and refuses to make it up', async () => {
    const path = join(dir, 'b.bin');
    const spill = openSpill(path, { isNew: true });
    const [a, b] = [spill.write(Float32Array.of(1, 2)), spill.write(Float32Array.of(3, 4))];
    const bytes = readFileSync(path);
    bytes[2] = (bytes[2] ?? 0) + 1;
    writeFileSync(path, bytes);
    truncateSync(path, 12);
    assert.deepEqual([spill.holds(a), spill.holds(b)], [false, false]);
    assert.throws(() => spill.read(b, 0, 2), { code: 'WORKSPACE_UNUSABLE', message: /expected 8 bytes at 8/ });
    await spill.close();
  });

  it('names a folder that cannot be written', () => {
    writeFileSync(join(dir, 'file'), '');
    assert.throws(() => openSpill(join(dir, 'file', 'a.bin'), { isNew: true }), { code: 'WORKSPACE_UNUSABLE' });
  });
});
