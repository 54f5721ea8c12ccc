import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { drawIcons, iconFolder, iconSizes, iconSource } from './icon-files.ts';

const stored = (name: string): Buffer => readFileSync(new URL(name, iconFolder));

describe('the icon of the application', () => {
  it('is stored as its source draws it, in every size', async () => {
    const drawn = await drawIcons(readFileSync(iconSource));
    assert.deepEqual(readdirSync(iconFolder).toSorted(), [...drawn.keys()].toSorted());
    for (const size of iconSizes) {
      const name = `${size}x${size}.png`;
      const now = drawn.get(name);
      assert.ok(now);
      const [before, after] = await Promise.all([stored(name), now].map(async (png) => sharp(png).raw().toBuffer()));
      assert.ok(before && after);
      assert.equal(before.length, 4 * size * size, name);
      // Processors round in their own ways; another drawing differs by far more.
      const differing = before.reduce((count, byte, i) => count + Number(Math.abs(byte - (after[i] ?? 0)) > 8), 0);
      assert.ok(differing < before.length / 100, `${name}: run node scripts/make-icons.ts`);
    }
  });

  it('has for Windows and macOS the same pictures in their containers', () => {
    const ico = stored('icon.ico');
    assert.deepEqual([ico.readUInt16LE(0), ico.readUInt16LE(2), ico.readUInt16LE(4)], [0, 1, 6]);
    for (let i = 0; i < 6; i++) {
      const at = 6 + 16 * i;
      const size = ico.readUInt8(at) || 256;
      const start = ico.readUInt32LE(at + 12);
      assert.deepEqual(ico.subarray(start, start + ico.readUInt32LE(at + 8)), stored(`${size}x${size}.png`));
    }
    const icns = stored('icon.icns');
    assert.equal(icns.toString('latin1', 0, 4), 'icns');
    assert.equal(icns.readUInt32BE(4), icns.length);
    const names: string[] = [];
    for (let at = 8; at < icns.length; at += icns.readUInt32BE(at + 4)) {
      names.push(icns.toString('latin1', at, at + 4));
      assert.equal(icns.toString('latin1', at + 9, at + 12), 'PNG');
    }
    assert.equal(names.length, 8);
  });
});
