import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { measureSpeed } from '../core/service/measure-speed.ts';
import { callProgram } from './testing/call-program.ts';

describe('the speed of a device', () => {
  it('is the counted operations over the time of the quickest run', async () => {
    const looks = [0, 100, 150, 900];
    const speed = await measureSpeed('cpu', 1, () => looks.shift() ?? assert.fail(), 200);
    const perRun = 2 * 16 * 64 * 28 ** 2 * 32 * 9 + 2 * 512 ** 3;
    assert.deepEqual(speed, { device: 'cpu', threads: 1, gflops: perRun / 50 / 1e6 });
  });
});

describe('doctor', () => {
  it('tells versions, devices with the reason of a missing one, and keeps the speed in the workspace', async (t) => {
    const cli = callProgram(t);
    const { code, result } = await cli.json('doctor', '--workspace', 'w');
    assert.equal(code, 0);
    assert.match(String(result['onnxruntime']), /^\d+\.\d+/);
    const devices = result['devices'] as readonly { device: string; available: boolean; reason?: string }[];
    assert.deepEqual(
      devices.map(({ device }) => device),
      ['cpu', 'cuda', 'webgpu'],
    );
    assert.equal(devices[0]?.available, true);
    for (const { available, reason } of devices) assert.equal(available, reason === undefined);
    const speed = result['speed'] as readonly { device: string; threads: number; gflops: number }[];
    assert.ok(speed.some(({ device, threads, gflops }) => device === 'cpu' && threads === 1 && gflops > 0));
    const kept = JSON.parse(readFileSync(join(cli.folder, 'w', 'machine.json'), 'utf8')) as { speed: unknown };
    assert.deepEqual(kept.speed, speed);
  });

  it('says what is wrong with a workspace, and ends with its code', async (t) => {
    const cli = callProgram(t);
    writeFileSync(join(cli.folder, 'w'), '');
    const { code, out, err } = await cli.run('doctor', '--workspace', 'w');
    assert.equal(code, 7);
    assert.match(out, /onnxruntime +\d/);
    assert.match(err, /\[WORKSPACE_UNUSABLE\]/);
  });
});
