import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Child } from '../runtime/child-process.ts';
import { usageOf } from '../runtime/child-process-usage.ts';
import { lookApart } from './apart.ts';

describe('looking into a file apart', () => {
  it('ends the process when it takes more memory than it may', async () => {
    const path = 'model.onnx';
    // Says nothing and holds more than that, as this process does.
    const launch = (): Child => ({
      pid: process.pid,
      onStart: (listener) => listener(process.pid),
      usage: async () => usageOf(process.pid),
      post: () => {},
      kill: () => {},
      onMessage: () => {},
      onExit: () => {},
    });
    await assert.rejects(lookApart({ kind: 'model', path, dims: {} }, { launch, memoryBytes: 2 ** 20 }), {
      code: 'MODEL_UNREADABLE',
      message: /took more than 1 MiB of memory/,
    });
  });

  it('ends the process when nobody waits for it any more', async () => {
    let kills = 0;
    const launch = (): Child => ({
      pid: process.pid,
      onStart: () => {},
      usage: async () => usageOf(process.pid),
      post: () => {},
      kill: () => {
        kills += 1;
      },
      onMessage: () => {},
      onExit: () => {},
    });
    const controller = new AbortController();
    const look = lookApart({ kind: 'model', path: 'a.onnx', dims: {} }, { launch, signal: controller.signal });
    controller.abort();
    await assert.rejects(look, { code: 'CANCELLED', message: /Looking into a\.onnx was stopped/ });
    assert.equal(kills, 1);
  });
});
