import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ruleContext } from './rule.ts';
import { ruleCases } from './rules/cases.ts';
import { findRule, knownOps } from './rules/index.ts';
import { checkSubject, nodeOfCase, subjectOfCase } from './testing/gradient-check.ts';

for (const ruleCase of ruleCases) {
  describe(`gradient of ${ruleCase.op}: ${ruleCase.name}`, () => {
    const subject = subjectOfCase(ruleCase);

    it('matches difference quotients at orders 1 and 2', () => checkSubject(subject));

    it('is made of operators that the table knows', () => {
      const unknown = subject.graph.nodes.map((node) => node.op).filter((op) => !knownOps.includes(op));
      assert.deepEqual([...new Set(unknown)], []);
    });
  });
}

describe('rules', () => {
  it('build no gradient that is not wanted', () => {
    for (const ruleCase of ruleCases) {
      const entry = findRule(ruleCase.op);
      if (entry?.kind !== 'differentiable') continue;
      const { g, inputs, outputs } = nodeOfCase(ruleCase);
      const node = outputs[0]?.producer;
      if (!node) continue;
      const cotangents = outputs.map((value) =>
        value.dtype.startsWith('float') ? g.full(value.shape, 1, value.dtype) : undefined,
      );
      for (const only of inputs) {
        const grads = entry.rule(ruleContext(node, cotangents, g, (value) => value === only));
        const wanted = node.inputs.indexOf(only);
        grads.forEach((grad, i) => {
          const shared = node.inputs[i] === only || i === wanted;
          assert.ok(
            shared || grad === undefined,
            `${ruleCase.op}: ${ruleCase.name}, input ${i} was built when ${wanted} was wanted`,
          );
        });
      }
    }
  });

  it('have a case for every operator that is differentiable', () => {
    const covered = new Set(ruleCases.map((c) => c.op));
    const missing = knownOps.filter((op) => findRule(op)?.kind === 'differentiable' && !covered.has(op));
    assert.deepEqual(missing, []);
  });
});
