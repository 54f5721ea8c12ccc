import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkbenchError } from '../../base/errors.ts';
import { badFiles } from '../testing/bad-files.ts';
import { externalAttacks } from '../testing/bad-files/external.ts';
import { soundFiles } from '../testing/bad-files/tensor.ts';
import { type RuleId, rules } from './rules.ts';
import { validateModel } from './validate-model.ts';

describe('a bad model file', () => {
  for (const { rule, name, bytes } of badFiles) {
    it(`is refused by ${rule}: ${name}`, () => {
      assert.throws(
        () => validateModel(bytes()),
        (error) => {
          assert.ok(error instanceof WorkbenchError, String(error));
          assert.deepEqual(error.details, { rule }, error.message);
          assert.equal(error.code, rules[rule].code);
          assert.ok(error.hint?.includes(rule));
          assert.ok(error.message.length < 2000, 'the message is readable');
          assert.doesNotMatch(error.message, /\p{Cc}|[\u202a-\u202e]/u);
          return true;
        },
      );
    });
  }

  it('comes in three variants or more for each rule, and in 150 or more in all', () => {
    const counts = new Map<RuleId, number>();
    for (const { rule } of [...badFiles, ...externalAttacks]) counts.set(rule, (counts.get(rule) ?? 0) + 1);
    // Of nothing there is one variant only; rules about paths have a test of their own.
    const elsewhere = new Set([
      'ONNX_E_EMPTY',
      'ONNX_E_FILE_KIND',
      'ONNX_E_FILE_SIZE',
      'ONNX_E_EXTERNAL_OVERLAP',
      'ONNX_E_EXTERNAL_CHANGED',
    ]);
    const thin = Object.keys(rules).filter((rule) => !elsewhere.has(rule) && (counts.get(rule as RuleId) ?? 0) < 3);
    assert.deepEqual(thin, []);
    assert.ok(badFiles.length >= 150, `${badFiles.length} files`);
    assert.ok(externalAttacks.length >= 40, `${externalAttacks.length} attacks`);
  });
});

describe('a strange model file', () => {
  for (const [name, bytes] of Object.entries(soundFiles)) {
    it(`is read when it is sound: ${name}`, () => {
      assert.equal(validateModel(bytes()).graph.outputs.length, 1);
    });
  }
});
