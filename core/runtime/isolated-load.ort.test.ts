import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { bytesOf, typed } from '../onnx/testing/model-bytes.ts';
import { type Loader, loadLimitsFor, openLoader, probeError, probeModel } from './isolated-load.ts';
import { usageFromPs, usageOf } from './child-process-usage.ts';

const elapsed = (): number => performance.now();
const limits = { wallMs: 60_000, cpuMs: 60_000, memoryBytes: 2 ** 30 };
const teacher = join(import.meta.dirname, '../onnx/testdata/lenet5-half-mnist.onnx');

describe('the memory that a model may take when it is first opened', () => {
  it('grows with the file and with what may be its weights beside it', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'palimpsest-limits-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'model.onnx');
    const [small, large] = [2 ** 10, 2 ** 26];
    const memoryWith = (sizes: Readonly<Record<string, number>>): number => {
      for (const [name, size] of Object.entries(sizes)) {
        writeFileSync(join(folder, name), '');
        truncateSync(join(folder, name), size);
      }
      return loadLimitsFor(path).memoryBytes;
    };
    assert.equal(loadLimitsFor(path).memoryBytes, 2 ** 31);
    const alone = memoryWith({ 'model.onnx': small });
    assert.equal(alone, 2 ** 31 + 8 * small);
    assert.equal(memoryWith({ 'other.onnx': large }), alone);
    assert.equal(memoryWith({ 'model.onnx.data': large }), alone + 4 * large);
  });
});

describe('a model file opened in a process of its own', () => {
  it('passes when it is sound, and has been run once', async () => {
    const result = await probeModel(teacher, { elapsed });
    assert.equal(result.kind, 'passed', JSON.stringify(result));
    const { report } = result;
    assert.deepEqual([report.isClassifier, report.notRun, report.hasExternalData], [true, undefined, false]);
    assert.deepEqual(
      report.outputs.map(({ shape }) => shape),
      [['batch', 10]],
    );
    assert.ok((result.usage?.memoryBytes ?? 1e9) > 5e7);
    assert.equal(probeError(teacher, result), undefined);
  });

  it('is refused with the words of our own rules', async () => {
    const result = await probeModel(import.meta.filename, { elapsed });
    assert.equal(result.kind, 'refused');
    const error = probeError(import.meta.filename, result);
    assert.deepEqual(error?.details, { rule: 'ONNX_E_FORMAT' });
    assert.match(error?.message ?? '', /got something else/);
  });
});

describe('the loading process', () => {
  let loader: Loader;
  before(() => {
    loader = openLoader({ elapsed });
  });
  after(() => loader.close());

  it('loads one file after another, also such that are no classifiers', async () => {
    const x = typed('x');
    for (const opType of ['Relu', 'Sqrt', 'Abs']) {
      const bytes = bytesOf({ input: [x], node: [{ opType, input: ['x'], output: ['y'] }] });
      const result = await loader.load({ bytes }, limits);
      assert.equal(result.kind, 'passed', JSON.stringify(result));
      assert.equal(result.report.isClassifier, false);
      assert.match(result.report.notRun ?? '', /unknown shape/);
    }
    assert.equal(loader.processCount, 1);
  });

  it('passes on what onnxruntime says against a graph', async () => {
    const result = await loader.load(
      { bytes: bytesOf({ node: [{ opType: 'Nope', input: ['x'], output: ['y'] }] }) },
      limits,
    );
    assert.equal(result.kind, 'refused');
    assert.match(probeError('m.onnx', result)?.message ?? '', /Nope/);
    assert.equal(loader.processCount, 1, 'a refusal costs no process');
  });
});

describe('a file that turns on the process that opens it', () => {
  let loader: Loader;
  before(() => {
    loader = openLoader({ elapsed, module: new URL('./testing/hostile-loader.ts', import.meta.url) }, 2 ** 30);
  });
  after(() => loader.close());

  const cases: readonly (readonly [deed: string, limits: Partial<typeof limits>, fate: object, says: RegExp])[] = [
    ['spins', { cpuMs: 700 }, { kind: 'stopped', over: 'cpu', limit: 700 }, /more than 1 s of processor time/],
    ['sleeps', { wallMs: 1500 }, { kind: 'stopped', over: 'time', limit: 1500 }, /more than 2 s/],
    ['grows', { memoryBytes: 3e8 }, { kind: 'stopped', over: 'memory', limit: 3e8 }, /more than 286 MiB of memory/],
    ['reserves', {}, { kind: 'stopped', over: 'memory', limit: 2 ** 30 }, /more than 1024 MiB of memory/],
    ['aborts', {}, { kind: 'crashed', how: 'SIGABRT' }, /with SIGABRT/],
    ['kills', {}, { kind: 'crashed', how: 'SIGSEGV' }, /with SIGSEGV/],
    ['leaves', {}, { kind: 'crashed', how: 'exit code 3' }, /with exit code 3/],
  ];
  for (const [deed, own, fate, says] of cases) {
    it(`costs that process only, and is told apart: ${deed}`, async () => {
      const count = loader.processCount;
      const result = await loader.load({ path: deed }, { ...limits, ...own });
      assert.partialDeepStrictEqual(result, fate);
      const error = probeError('evil.onnx', result);
      assert.equal(error?.code, 'MODEL_UNREADABLE');
      assert.match(error.message, says);
      assert.match(error.message, /^evil\.onnx: /);
      assert.equal((await loader.load({ path: 'answers' }, limits)).kind, 'passed', 'the next file is served');
      assert.ok(loader.processCount <= count + 2);
    });
  }
});

describe('what a process takes', () => {
  it('is told by the system, alike in both ways of asking', async () => {
    const [own, fromPs] = [await usageOf(process.pid), await usageFromPs(process.pid)];
    assert.ok(own !== undefined && fromPs !== undefined);
    assert.ok(own.memoryBytes > 2e7 && Math.abs(own.memoryBytes / fromPs.memoryBytes - 1) < 0.5);
    assert.ok(Math.abs(own.cpuMs - fromPs.cpuMs) < 3000);
  });

  it('is nothing of a process that is gone', async () => {
    const pid = Number(execFileSync('/bin/sh', ['-c', 'echo $$']).toString());
    assert.equal(await usageOf(pid), undefined);
    assert.equal(await usageFromPs(pid), undefined);
  });
});
