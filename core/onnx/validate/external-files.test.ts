import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { WorkbenchError } from '../../base/errors.ts';
import { loadModel } from '../read.ts';
import { externalAttacks, externalModel, secret, secretFile } from '../testing/bad-files/external.ts';
import { bytesOf, withTensor } from '../testing/model-bytes.ts';
import { defaultLimits } from './limits.ts';
import type { RuleId } from './rules.ts';

let root = '';
let folder = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'palimpsest-external-'));
  folder = join(root, 'model');
  mkdirSync(folder);
  writeFileSync(secretFile(folder), secret);
});
afterEach(() => rmSync(root, { recursive: true }));

function load(bytes: Uint8Array) {
  const path = join(folder, 'model.onnx');
  writeFileSync(path, bytes);
  return loadModel(path);
}

const besideWeight = (name: string, entries: Readonly<Record<string, string>>) => ({
  name,
  dims: [4n],
  dataType: 1,
  dataLocation: 1,
  externalData: Object.entries({ location: 'w.bin', ...entries }).map(([key, value]) => ({ key, value })),
});

const brokenRule =
  (rule: RuleId) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof WorkbenchError, String(error));
    assert.deepEqual(error.details, { rule }, error.message);
    assert.ok(!error.message.includes('SECRET'));
    return true;
  };

describe('a model that reaches for data outside itself', () => {
  for (const { rule, name, entries } of externalAttacks) {
    it(`is refused by ${rule}: ${name}`, async () => {
      await assert.rejects(load(externalModel(entries(folder))), brokenRule(rule));
    });
  }

  const overlapping: Readonly<Record<string, (i: number) => Readonly<Record<string, string>>>> = {
    'shifted by a byte each': (i) => ({ offset: String(i) }),
    'in rows that lie half over one another': (i) => ({ offset: String(2 * i), length: '16' }),
    'under names that mean the same file': (i) => ({ location: `${'./'.repeat(i % 3)}w.bin`, offset: String(i) }),
  };
  for (const [name, entries] of Object.entries(overlapping)) {
    it(`is refused when its tensors take far more from a file than it holds: ${name}`, async () => {
      writeFileSync(join(folder, 'w.bin'), new Uint8Array(64));
      const weights = (more: typeof entries) => Array.from({ length: 12 }, (_, i) => besideWeight(`w${i}`, more(i)));
      await assert.rejects(load(bytesOf({ initializer: weights(entries) })), brokenRule('ONNX_E_EXTERNAL_OVERLAP'));
      const { graph } = await load(bytesOf({ initializer: weights(() => ({})) }));
      assert.equal(
        graph.initializers.get('w0')?.data.buffer,
        graph.initializers.get('w11')?.data.buffer,
        'tied weights',
      );
    });
  }

  // What another thread does to the file, again and again, while it is read.
  const changes: Readonly<Record<string, string>> = {
    'longer and shorter': 'truncateSync(path, bytes + 1); truncateSync(path, bytes);',
    'written to in the middle':
      "const handle = openSync(path, 'r+'); writeSync(handle, 'x', bytes / 2); closeSync(handle);",
    'given another time': 'utimesSync(path, turn % 1e9, turn % 1e9);',
  };
  for (const [name, change] of Object.entries(changes)) {
    it(`is refused when its data are ${name} while they are read`, async () => {
      const bytes = 2 ** 25;
      const path = join(folder, 'w.bin');
      writeFileSync(path, '');
      truncateSync(path, bytes);
      const weight = { ...besideWeight('w', {}), dims: [BigInt(bytes / 4)] };
      const turns = new Int32Array(new SharedArrayBuffer(4));
      const changer = new Worker(
        `const { truncateSync, openSync, writeSync, closeSync, utimesSync } = require('node:fs');
         const { workerData: { path, bytes, turns } } = require('node:worker_threads');
         for (let turn = 1; Atomics.load(turns, 0) === 0; turn++) { ${change} }`,
        { eval: true, workerData: { path, bytes, turns } },
      );
      const stopped = once(changer, 'exit');
      const seen = new Set<string>();
      try {
        for (let i = 0; i < 2000 && !seen.has('ONNX_E_EXTERNAL_CHANGED'); i++) {
          await load(bytesOf({ initializer: [weight] })).catch((error: unknown) => {
            assert.ok(error instanceof WorkbenchError, String(error));
            seen.add(String(Object(error.details).rule));
          });
        }
      } finally {
        Atomics.store(turns, 0, 1);
        await stopped;
      }
      assert.deepEqual([...seen], ['ONNX_E_EXTERNAL_CHANGED']);
    });
  }

  it('never gets what stands outside while names are swapped under its hands', async () => {
    const inside = new Uint8Array(8).fill(1);
    mkdirSync(join(folder, 'a'));
    mkdirSync(join(folder, 'b'));
    for (const name of ['a/w.bin', 'good.bin']) writeFileSync(join(folder, name), inside);
    writeFileSync(join(root, 'w.bin'), secret);
    symlinkSync(secretFile(folder), join(folder, 'bad.bin'));
    symlinkSync(root, join(folder, 'up'));
    const turns = new Int32Array(new SharedArrayBuffer(8));
    const swapper = new Worker(
      `const { renameSync, copyFileSync, symlinkSync, rmSync } = require('node:fs');
       const { workerData: { folder, turns } } = require('node:worker_threads');
       process.chdir = undefined;
       const at = (name) => folder + '/' + name;
       while (Atomics.load(turns, 1) === 0) {
         copyFileSync(at('good.bin'), at('t')); renameSync(at('t'), at('w.bin'));
         symlinkSync('../secret.bin', at('t')); renameSync(at('t'), at('w.bin'));
         renameSync(at('a'), at('b/a')); renameSync(at('up'), at('a'));
         renameSync(at('a'), at('up')); renameSync(at('b/a'), at('a'));
         Atomics.add(turns, 0, 1);
       }`,
      { eval: true, workerData: { folder, turns } },
    );
    const outcomes = { read: 0, refused: 0 };
    const models = ['w.bin', 'a/w.bin'].map((location) => externalModel({ location }));
    const stopped = once(swapper, 'exit');
    try {
      for (let i = 0; i < 20_000 && (Atomics.load(turns, 0) < 400 || i < 400); i++) {
        try {
          const { graph } = await load(models[i % 2]!);
          const { data } = graph.initializers.get('w') ?? assert.fail();
          assert.deepEqual(new Uint8Array(data.buffer, data.byteOffset, 8), inside);
          outcomes.read++;
        } catch (error) {
          if (!(error instanceof WorkbenchError)) throw error;
          outcomes.refused++;
        }
      }
    } finally {
      Atomics.store(turns, 1, 1);
      await stopped;
    }
    assert.ok(outcomes.read > 0 && outcomes.refused > 0, JSON.stringify(outcomes));
  });
});

describe('the path of a model', () => {
  const refused: Readonly<Record<string, (path: string) => void>> = {
    'nothing at all': () => undefined,
    'a folder': (path) => mkdirSync(path),
    'a pipe, without waiting for its writer': (path) => execFileSync('mkfifo', [path]),
    'a link to a device': (path) => symlinkSync('/dev/zero', path),
    'a link that leads nowhere': (path) => symlinkSync('nowhere', path),
  };
  for (const [what, make] of Object.entries(refused)) {
    it(`is refused when it is ${what}`, async () => {
      const path = join(folder, 'model.onnx');
      make(path);
      await assert.rejects(loadModel(path), brokenRule('ONNX_E_FILE_KIND'));
    });
  }

  const empty: Readonly<Record<string, (path: string) => void>> = {
    'a file': (path) => writeFileSync(path, ''),
    'a file that has been cut to nothing': (path) => {
      writeFileSync(path, bytesOf());
      truncateSync(path);
    },
    'a link to a file': (path) => {
      writeFileSync(join(root, 'empty.onnx'), '');
      symlinkSync('../empty.onnx', path);
    },
  };
  for (const [what, make] of Object.entries(empty)) {
    it(`is refused when it is ${what} of no bytes`, async () => {
      const path = join(folder, 'model.onnx');
      make(path);
      await assert.rejects(loadModel(path), brokenRule('ONNX_E_EMPTY'));
    });
  }

  it('may be a link, which the user chose; data are looked for where the link stands', async () => {
    writeFileSync(join(root, 'real.onnx'), bytesOf());
    symlinkSync('../real.onnx', join(folder, 'model.onnx'));
    assert.equal((await loadModel(join(folder, 'model.onnx'))).opset, 17);
  });

  it('is refused when the file is larger than allowed, before it is read', async () => {
    const path = join(folder, 'model.onnx');
    for (const size of [101, 5000]) {
      writeFileSync(path, new Uint8Array(size));
      await assert.rejects(loadModel(path, { ...defaultLimits, fileBytes: 100 }), brokenRule('ONNX_E_FILE_SIZE'));
    }
    execFileSync('truncate', ['-s', '3G', path]);
    await assert.rejects(loadModel(path), brokenRule('ONNX_E_FILE_SIZE'));
  });
});

describe('weights in a file', () => {
  const values = Float32Array.from({ length: 100 }, (_, i) => i / 7);

  it('are the same wherever they stand, and are moved rather than copied', async () => {
    for (let padding = 0; padding < 8; padding++) {
      const name = 'w'.padEnd(1 + padding, '_');
      const bytes = bytesOf({
        initializer: [{ name, dims: [100n], dataType: 1, rawData: new Uint8Array(values.buffer) }],
      });
      const { graph } = await load(bytes);
      const { data } = graph.initializers.get(name) ?? assert.fail();
      assert.deepEqual(data, values);
      assert.equal(data.buffer.byteLength, bytes.length, 'views the file');
    }
  });

  it('are taken as they stand when they are written as numbers', async () => {
    const doubles = Float64Array.from(values);
    const floats = await load(withTensor({ dims: [100n], dataType: 1, floatData: [...values] }));
    assert.deepEqual(floats.graph.initializers.get('w')?.data, values);
    assert.ok((floats.graph.initializers.get('w') ?? assert.fail()).data.buffer.byteLength > 400);
    const wide = await load(withTensor({ dims: [100n], dataType: 11, doubleData: [...doubles] }));
    assert.deepEqual(wide.graph.initializers.get('w')?.data, doubles);
  });
});
