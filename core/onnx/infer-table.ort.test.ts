import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { foldNode } from './fold.ts';
import { inferableOps, inferTypes } from './infer-table.ts';
import { inferCases } from './testing/infer-cases.ts';
import { contextOf, type OneNode, runOneNode } from './testing/one-node.ts';

const title = ({ op, inputs, attributes = {} }: OneNode): string =>
  `${op} of ${inputs.map((x) => (x === undefined ? '-' : `${x.dtype}[${x.dims.join()}]`)).join(' ')} ${JSON.stringify(Object.keys(attributes))}`;

describe('types worked out before running', () => {
  for (const node of inferCases) {
    it(`equal those of onnxruntime: ${title(node)}`, async () => {
      const types = inferTypes(contextOf(node));
      const outputs = await runOneNode(node, types);
      assert.deepEqual(
        types,
        outputs.map((output) => output && { dtype: output.dtype, shape: output.dims }),
      );
    });
  }

  it('are checked for every op that has a rule', () => {
    const covered = new Set(inferCases.map(({ op }) => op));
    assert.deepEqual(
      inferableOps.filter((op) => !covered.has(op)),
      [],
    );
  });
});

describe('constants worked out before running', () => {
  for (const node of inferCases) {
    const context = contextOf({ ...node, constants: node.inputs.map((_, i) => i) });
    const folded = foldNode(context);
    if (folded === undefined) continue;
    it(`equal those of onnxruntime: ${title(node)}`, async () => {
      const outputs = await runOneNode(node, inferTypes(context));
      folded.forEach(({ dtype, dims, data }, i) => {
        const output = outputs[i];
        assert.deepEqual({ dtype, dims }, { dtype: output?.dtype, dims: output?.dims });
        const values = Array.from<number | bigint, number>(data, Number);
        const expected = Array.from<number | bigint, number>(output?.data ?? [], Number);
        values.forEach((value, k) => {
          const wanted = expected[k] ?? Number.NaN;
          assert.ok(Math.abs(value - wanted) <= 1e-6 * Math.max(1, Math.abs(wanted)), `${value} for ${wanted}`);
        });
      });
    });
  }
});
