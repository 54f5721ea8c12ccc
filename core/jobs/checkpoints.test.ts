import assert from 'node:assert/strict';
import * as nodeFs from 'node:fs';
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { dtypes, emptyData, float32, tensor, type Tensor } from '../base/tensor.ts';
import { stream } from '../base/rng.ts';
import { checkpointFolder } from '../contract/layout.ts';
import type { CheckpointState } from '../methods/context.ts';
import { canonicalJson, decodeExact, encodeExact, sha256Of } from './canonical-json.ts';
import type { CheckpointIdentity } from './checkpoint-manifest.ts';
import { heldArtifacts, loadCheckpoint, openCheckpoints } from './checkpoints.ts';
import { writeDurably, type FileSystem } from './durable-files.ts';
import { temporaryFolder } from './testing/toy-workspace.ts';

const runId = '20261122-101530-k3f9';
const identity: CheckpointIdentity = {
  methodId: 'walk',
  methodVersion: 1,
  request: 'r',
  models: { teacher: 'a' },
  data: {},
  device: 'cpu',
};
const extras = { fraction: 0.25, unstored: { points: [{ name: 'loss', step: 3, value: 0.5 }], artifacts: [] } };

function stateAt(step: number, parts: Record<string, Tensor> = {}): CheckpointState {
  return { phase: 'train', step, json: { step }, tensors: { weights: float32([2], [step, -step]) }, parts };
}

function setUp(t: TestContext): { dir: string; folder: string } {
  const dir = temporaryFolder(t);
  return { dir, folder: join(dir, checkpointFolder(runId)) };
}

const load = (dir: string) => loadCheckpoint(dir, runId, identity);

/** The real file system until so many bytes have been written. */
function fullAfter(bytes: number): FileSystem {
  let left = bytes;
  return {
    ...nodeFs,
    writeSync(handle, piece, offset) {
      const length = Math.min(left, piece.byteLength - offset);
      if (length === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      left -= length;
      return nodeFs.writeSync(handle, piece, offset, length);
    },
  };
}

describe('a checkpoint', () => {
  it('holds the artifacts that the history had not heard of when it was written', (t) => {
    const { dir } = setUp(t);
    assert.deepEqual(heldArtifacts(dir), new Set());
    const sha256 = 'd'.repeat(64);
    const artifact = { name: 'a', title: 'A', mediaType: 'image/png', sha256, sizeBytes: 1, meta: {} };
    const checkpoints = openCheckpoints(dir, runId, identity);
    checkpoints.write(stateAt(1), { fraction: 0, unstored: { points: [], artifacts: [artifact] } });
    assert.deepEqual(heldArtifacts(dir), new Set([sha256]));
    for (const step of [2, 3]) checkpoints.write(stateAt(step), extras);
    assert.deepEqual(heldArtifacts(dir), new Set());
  });

  it('gives back every tensor bit for bit, whatever its type and shape', (t) => {
    const { dir } = setUp(t);
    const rng = stream(1, 'bits');
    const tensors = Object.fromEntries(
      dtypes.map((dtype, i): [string, Tensor] => {
        const dims = [[], [3], [0], [2, 3]][i % 4] ?? [];
        const data = emptyData(
          dtype,
          dims.reduce((a, b) => a * b, 1),
        );
        const bytes = new Uint8Array(data.buffer);
        bytes.forEach((_, j) => (bytes[j] = rng.int(256)));
        return [`${dtype}/0`, tensor(dtype, dims, data)];
      }),
    );
    openCheckpoints(dir, runId, identity).write({ phase: 'p', step: 7, json: null, tensors, parts: tensors }, extras);
    const { state, fraction, unstored } = load(dir);
    for (const found of [state?.tensors, state?.parts]) {
      assert.deepEqual(Object.keys(found ?? {}), Object.keys(tensors));
      for (const [name, { dtype, dims, data }] of Object.entries(tensors)) {
        const back = found?.[name];
        assert.deepEqual([back?.dtype, back?.dims], [dtype, dims]);
        assert.deepEqual(Buffer.from(back?.data.buffer ?? new ArrayBuffer(0)), Buffer.from(data.buffer));
      }
    }
    assert.deepEqual([state?.phase, state?.step, fraction, unstored], ['p', 7, 0.25, extras.unstored]);
  });

  it('keeps a view of a larger buffer apart from the rest of it', (t) => {
    const { dir } = setUp(t);
    const all = Float32Array.from([1, 2, 3, 4]);
    const weights = float32([2], all.subarray(1, 3));
    openCheckpoints(dir, runId, identity).write({ ...stateAt(1), tensors: { weights } }, extras);
    assert.deepEqual([...(load(dir).state?.tensors['weights']?.data ?? [])], [2, 3]);
  });

  it('keeps numbers that JSON loses', () => {
    const value = { best: Number.NEGATIVE_INFINITY, list: [Number.NaN, -0, 0.1, 1e-320], text: 'NaN', none: null };
    assert.deepEqual(decodeExact(encodeExact(value)), value);
  });

  it('of the beginning has no state', (t) => {
    const { dir } = setUp(t);
    const written = openCheckpoints(dir, runId, identity).write(undefined, extras);
    assert.equal(load(dir).state, undefined);
    assert.deepEqual([written.phase, written.step], ['start', 0]);
    assert.ok(nodeFs.existsSync(join(dir, written.path)));
  });

  it('is one of the last two that are kept, and parts are written once', (t) => {
    const { dir, folder } = setUp(t);
    const checkpoints = openCheckpoints(dir, runId, identity);
    const parts: Record<string, Tensor> = {};
    for (let step = 1; step <= 4; step++) {
      if (step < 4) parts[`batch ${step}`] = float32([1], [step]);
      checkpoints.write(stateAt(step, parts), extras);
    }
    assert.deepEqual(readdirSync(folder).sort(), [
      '000003.bin',
      '000003.json',
      '000004.bin',
      '000004.json',
      'parts-000001.bin',
      'parts-000002.bin',
      'parts-000003.bin',
    ]);
    assert.deepEqual(Object.keys(load(dir).state?.parts ?? {}), ['batch 1', 'batch 2', 'batch 3']);
  });

  it('goes on numbering and keeps its parts after a resume', (t) => {
    const { dir, folder } = setUp(t);
    const first = { one: float32([1], [1]) };
    openCheckpoints(dir, runId, identity).write(stateAt(1, first), extras);
    const loaded = load(dir);
    const parts = { ...loaded.state?.parts, two: float32([1], [2]) };
    openCheckpoints(dir, runId, identity, loaded).write(stateAt(2, parts), extras);
    assert.ok(readdirSync(folder).includes('parts-000001.bin'));
    assert.deepEqual([...(load(dir).state?.parts?.['one']?.data ?? [])], [1]);
  });

  for (const [damage, file, action] of [
    ['a manifest cut short', '000002.json', (path: string) => truncateSync(path, 40)],
    ['an empty manifest', '000002.json', (path: string) => truncateSync(path, 0)],
    ['a changed number in the manifest', '000002.json', (path: string) => edit(path, '"step":2', '"step":3')],
    ['a missing tensor file', '000002.bin', (path: string) => nodeFs.rmSync(path)],
    ['a tensor file cut short', '000002.bin', (path: string) => truncateSync(path, 3)],
    ['a flipped bit', '000002.bin', (path: string) => writeFileSync(path, Buffer.alloc(8, 1))],
  ] as const) {
    it(`with ${damage} is passed over for the one before`, (t) => {
      const { dir, folder } = setUp(t);
      const checkpoints = openCheckpoints(dir, runId, identity);
      checkpoints.write(stateAt(1), extras);
      checkpoints.write(stateAt(2), extras);
      assert.equal(load(dir).state?.step, 2);
      action(join(folder, file));
      const loaded = load(dir);
      assert.equal(loaded.state?.step, 1);
      assert.deepEqual(loaded.damaged, [join(folder, '000002.json')]);
      const next = openCheckpoints(dir, runId, identity, loaded).write(stateAt(3), extras);
      assert.match(next.path, /000003\.json$/);
      assert.equal(load(dir).state?.step, 3);
    });
  }

  for (const [what, other] of [
    ['another method version', { methodVersion: 2 }],
    ['other parameters', { request: 'other' }],
    ['another model file', { models: { teacher: 'b' } }],
    ['another data set', { data: { test: 'c' } }],
    ['another device', { device: 'cuda' }],
  ] as const) {
    it(`made for ${what} is stale`, (t) => {
      const { dir } = setUp(t);
      openCheckpoints(dir, runId, { ...identity, ...other }).write(stateAt(1), extras);
      assert.throws(() => load(dir), { code: 'CHECKPOINT_STALE', message: /does not fit any more: it was made for/ });
    });
  }

  it('of another version of the format is named as such, not passed over as damaged', (t) => {
    const { dir, folder } = setUp(t);
    openCheckpoints(dir, runId, identity).write(stateAt(1), extras);
    const path = join(folder, '000001.json');
    const { manifest } = JSON.parse(readFileSync(path, 'utf8')) as { manifest: object };
    const newer = { ...manifest, format: 2 };
    writeFileSync(path, JSON.stringify({ sha256: sha256Of(canonicalJson(newer)), manifest: newer }));
    assert.throws(() => load(dir), {
      code: 'CHECKPOINT_STALE',
      message: /written by another version of Palimpsest: expected format 1, got 2/,
      hint: /start a new run/,
    });
  });

  it('that does not exist is an error, not a new beginning', (t) => {
    const { dir } = setUp(t);
    assert.throws(() => load(dir), { code: 'CHECKPOINT_STALE', message: /it has none/ });
  });

  for (const bytes of [0, 5, 8, 100]) {
    it(`that meets a full disk after ${bytes} bytes leaves the one before and nothing else`, (t) => {
      const { dir, folder } = setUp(t);
      openCheckpoints(dir, runId, identity).write(stateAt(1), extras);
      const before = readdirSync(folder);
      const checkpoints = openCheckpoints(dir, runId, identity, load(dir), fullAfter(bytes));
      assert.throws(() => checkpoints.write(stateAt(2), extras), { code: 'WORKSPACE_UNUSABLE', message: /full/ });
      assert.deepEqual(readdirSync(folder), before);
      assert.equal(load(dir).state?.step, 1);
    });
  }
});

describe('writing a file', () => {
  it('replaces the old content as a whole or not at all', (t) => {
    const path = join(temporaryFolder(t), 'folder', 'file');
    writeDurably(path, [Buffer.from('old')]);
    assert.throws(() => writeDurably(path, [Buffer.from('newer')], fullAfter(3)), { code: 'WORKSPACE_UNUSABLE' });
    assert.equal(readFileSync(path, 'utf8'), 'old');
    writeDurably(path, [Buffer.from('new'), Buffer.from('er')]);
    assert.equal(readFileSync(path, 'utf8'), 'newer');
  });

  it('below a file says what is wrong with the workspace', (t) => {
    const path = join(temporaryFolder(t), 'file');
    writeDurably(path, []);
    assert.throws(() => writeDurably(join(path, 'below'), []), { code: 'WORKSPACE_UNUSABLE' });
  });
});

function edit(path: string, from: string, to: string): void {
  const text = readFileSync(path, 'utf8');
  assert.ok(text.includes(from));
  writeFileSync(path, text.replace(from, to));
}
