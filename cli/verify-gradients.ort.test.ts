import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { callProgram } from './testing/call-program.ts';

const fixture = (name: string): string =>
  fileURLToPath(new URL(`../core/inspect/testdata/test_efficientnet.${name}`, import.meta.url));

describe('verify-gradients', () => {
  it('prints the error of each tensor and ends with 0 when all agree', async (t) => {
    const { code, out } = await callProgram(t).run('verify-gradients', fixture('onnx'), fixture('safetensors'));
    assert.equal(code, 0, out);
    assert.match(out, /^ok +dx +\d\.\d\de-\d+ +1e-4$/m);
    assert.match(out, /^ok +dp\/classifier\.weight/m);
    assert.match(out, /all 9 tensors agree/);
  });

  it('ends with 1 and names what differs by more than its tolerance', async (t) => {
    const cli = callProgram(t);
    const argv = ['verify-gradients', fixture('onnx'), fixture('safetensors'), '--dx', '0'];
    const { code, result } = await cli.json(...argv);
    assert.equal(code, 1);
    assert.equal(result['schema'], 'palimpsest.verification/1');
    assert.equal(result['passed'], false);
    const comparisons = result['comparisons'] as readonly { name: string; passed: boolean; tolerance: number }[];
    const failed = comparisons.filter(({ passed }) => !passed);
    assert.deepEqual(
      failed.map(({ name, tolerance }) => [name, tolerance]),
      [['dx', 0]],
    );
    const { code: again, out } = await cli.run(...argv);
    assert.equal(again, 1);
    assert.match(out, /^differs +dx .*[^]*1 of 9 tensors differ: dx$/m);
  });

  it('refuses a reference that is none, and a tolerance that is no number', async (t) => {
    const cli = callProgram(t);
    writeFileSync(join(cli.folder, 'cut.safetensors'), readFileSync(fixture('safetensors')).subarray(0, 5000));
    const cut = await cli.run('verify-gradients', fixture('onnx'), 'cut.safetensors');
    assert.equal(cut.code, 4);
    assert.match(cut.err, /cut\.safetensors.*truncated.*\[DATA_UNREADABLE\]/);
    const many = await cli.run('verify-gradients', fixture('onnx'), fixture('safetensors'), '--dp', 'many');
    assert.equal(many.code, 2);
    assert.match(many.err, /--dp: expected a number/);
    const none = await cli.run('verify-gradients', 'none.onnx', fixture('safetensors'));
    assert.equal(none.code, 3);
    assert.match(none.err, /no model .*none\.onnx \[MODEL_UNREADABLE\]/);
  });
});
