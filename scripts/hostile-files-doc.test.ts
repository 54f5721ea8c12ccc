import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultLimits } from '../core/onnx/validate/limits.ts';
import { rules } from '../core/onnx/validate/rules.ts';
import { hostileFilesDoc } from './hostile-files-doc.ts';

describe('the page of hostile files', () => {
  it('has a row for every rule and every limit', () => {
    const text = hostileFilesDoc(rules, defaultLimits);
    for (const id of Object.keys(rules))
      assert.match(text, new RegExp(`^\\| \`${id}\` \\| \`(MODEL|OP)_\\w+\` \\| \\S`, 'm'));
    for (const name of Object.keys(defaultLimits)) assert.match(text, new RegExp(`^\\| ${name} \\| [\\d,]+ \\|$`, 'm'));
  });

  it('names the limits that hold', () => {
    const grouped = (value: number): string => value.toLocaleString('en-US');
    const { nodes, tensors, functions, attributes, values, arity, nameBytes, loopTrips } = defaultLimits;
    assert.ok(rules.ONNX_E_NODE_COUNT.asks.includes(grouped(nodes)));
    assert.ok(rules.ONNX_E_TENSOR_COUNT.asks.includes(grouped(tensors)));
    assert.ok(rules.ONNX_E_FUNCTION_COUNT.asks.includes(grouped(functions)));
    assert.ok(rules.ONNX_E_ATTRIBUTE_COUNT.asks.includes(grouped(attributes)));
    assert.ok(rules.ONNX_E_VALUE_COUNT.asks.includes(grouped(values)));
    assert.ok(rules.ONNX_E_VALUE_COUNT.asks.includes(grouped(arity)));
    assert.ok(rules.ONNX_E_STRING_LENGTH.asks.includes(grouped(nameBytes)));
    assert.ok(rules.ONNX_E_LOOP.asks.includes(grouped(loopTrips)));
  });
});
