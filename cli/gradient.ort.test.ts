import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { float32, int64 } from '../core/base/tensor.ts';
import { openSession } from '../core/runtime/session.ts';
import { callProgram } from './testing/call-program.ts';

type Ports = readonly { name: string; dtype: string; shape: readonly (number | string)[]; meaning: string }[];

describe('gradient', () => {
  it('writes a file that runs with any batch, and tells what goes in and comes out', async (t) => {
    const cli = callProgram(t);
    const argv = ['gradient', 'bundled:lenet5-mnist', '--wrt', 'input,parameters', '-o', 'made/g.onnx'];
    const { code, result } = await cli.json(...argv);
    assert.equal(code, 0);
    assert.deepEqual([result['schema'], result['fixedBatch']], ['palimpsest.gradient/1', null]);
    const [inputs, outputs] = [result['inputs'] as Ports, result['outputs'] as Ports];
    assert.deepEqual(
      outputs.slice(0, 3).map(({ name, shape }) => [name, shape]),
      [
        ['loss', []],
        ['logits', ['batch', 10]],
        ['dx', ['batch', 1, 28, 28]],
      ],
    );
    const session = await openSession(
      readFileSync(join(cli.folder, 'made/g.onnx')),
      { device: 'cpu', threads: 1 },
      'g',
    );
    const x = float32([3, 1, 28, 28], new Float32Array(3 * 784).fill(0.25));
    const results = await session.run({ [inputs[0]?.name ?? '']: x, labels: int64([3], [0, 1, 2]) });
    await session.close();
    assert.deepEqual(
      outputs.map(({ name }) => name),
      Object.keys(results),
    );
    assert.deepEqual(results['dx']?.dims, [3, 1, 28, 28]);
    assert.deepEqual(readdirSync(join(cli.folder, 'made')), ['g.onnx']);
  });

  it('does not write over a file, unless --force is given, and never over the model', async (t) => {
    const cli = callProgram(t);
    await cli.run('gradient', 'bundled:lenet5-mnist', '-o', 'g.onnx');
    const before = readFileSync(join(cli.folder, 'g.onnx'));
    const refused = await cli.run('gradient', 'bundled:lenet5-mnist', '--of', 'logit', '-o', 'g.onnx');
    assert.equal(refused.code, 2);
    assert.match(refused.err, /g\.onnx exists already \[USAGE\]\nhint: .*--force/);
    assert.deepEqual(readFileSync(join(cli.folder, 'g.onnx')), before);
    const self = await cli.run('gradient', 'g.onnx', '--of', 'loss', '-o', 'g.onnx', '--force');
    assert.match(self.err, /is the model itself \[USAGE\]/);
    const forced = await cli.run('gradient', 'bundled:lenet5-mnist', '--of', 'logit', '-o', 'g.onnx', '--force');
    assert.equal(forced.code, 0);
    assert.match(forced.out, /logit +float32 \[batch\] +logit of the class of each image/);
  });

  const cases: readonly (readonly [string, readonly string[], RegExp, number])[] = [
    ['no output', [], /needs --output/, 2],
    ['an empty name', ['-o', 'o.onnx', '--wrt', 'input,,fc'], /--wrt: expected names/, 2],
    ['an unknown name', ['-o', 'o.onnx', '--wrt', 'fc9.weight'], /initialiser fc9\.weight.*\[PARAM_INVALID\]/, 2],
    ['an unknown order', ['-o', 'o.onnx', '--order', '3'], /--order: expected one of 1, 2/, 2],
    ['an unknown dimension', ['-o', 'o.onnx', '--dims', 'height=8'], /no symbolic dimension height/, 2],
    ['a size that is none', ['-o', 'o.onnx', '--dims', 'height=0'], /--dims: expected NAME=SIZE/, 2],
    ['a place that cannot be written', ['-o', 'file/o.onnx'], /Cannot write .*\[WORKSPACE_UNUSABLE\]\nhint: .*-o/, 7],
  ];
  for (const [name, flags, message, exitCode] of cases) {
    it(`refuses ${name} and writes nothing`, async (t) => {
      const cli = callProgram(t);
      writeFileSync(join(cli.folder, 'file'), '');
      const { code, err } = await cli.run('gradient', 'bundled:lenet5-mnist', ...flags);
      assert.match(err, message);
      assert.equal(code, exitCode);
      assert.deepEqual(readdirSync(cli.folder), ['file']);
    });
  }
});
