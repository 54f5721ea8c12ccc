import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ruleCases } from '../core/autodiff/rules/cases.ts';
import { findRule, knownOps } from '../core/autodiff/rules/index.ts';
import { opsDoc } from './ops-doc.ts';

const entries = knownOps.flatMap((op) => findRule(op) ?? []);

describe('the page of operators', () => {
  it('has a row for every operator of the table, and names those that are looked through', () => {
    const text = opsDoc(entries, ruleCases);
    for (const { op, kind } of entries) {
      assert.match(text, kind === 'straight-through' ? new RegExp(`\\b${op}\\b`) : new RegExp(`^\\| ${op} \\|`, 'm'));
    }
  });

  it('says which uses were checked and why a gradient is zero', () => {
    const text = opsDoc(entries, ruleCases);
    assert.match(text, /^\| Gemm \| 2 \| float64 \| plain; with a row bias;/m);
    assert.match(text, /^\| Floor \| piecewise constant \|$/m);
  });

  it('does not call an operator checked that has no case', () => {
    assert.match(opsDoc(entries, []), /^\| Gemm \| none \|/m);
  });
});
