import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkbenchError } from '../base/errors.ts';
import { defaultThreads, probeDevice, resolveDevice } from './device.ts';

describe('the device of a run', () => {
  it('is the CPU when it is asked for, and the CPU works', async () => {
    assert.equal(await resolveDevice('cpu'), 'cpu');
    assert.deepEqual(await probeDevice('cpu'), { device: 'cpu', available: true });
  });

  it('is CUDA where it works; else asking for it is an error that says what to install, and auto is the CPU', async () => {
    const { available, reason } = await probeDevice('cuda');
    if (available) {
      assert.deepEqual([await resolveDevice('cuda'), await resolveDevice('auto')], ['cuda', 'cuda']);
      return;
    }
    assert.ok(reason);
    await assert.rejects(
      resolveDevice('cuda'),
      (error) =>
        error instanceof WorkbenchError &&
        error.code === 'DEVICE_UNAVAILABLE' &&
        error.message.includes('"cuda"') &&
        /npm run|--device cpu/.test(error.hint ?? ''),
    );
    assert.equal(await resolveDevice('auto'), 'cpu');
  });

  it('has at least one thread', () => {
    assert.ok(Number.isInteger(defaultThreads()) && defaultThreads() >= 1);
  });
});
