import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WorkbenchError } from '../base/errors.ts';
import { int } from './attributes.ts';
import { GraphBuilder, type Value } from './builder.ts';
import { gradients } from './differentiate.ts';
import { findRule, knownOps } from './rules/index.ts';

/** Operators of the graph that computes the value. */
function opsOf(g: GraphBuilder, value: Value | undefined): string[] {
  assert.ok(value);
  g.output('result', value);
  return g.build('part').nodes.map((node) => node.op);
}

describe('gradients', () => {
  it('gives undefined where no path leads to the variable', () => {
    const g = new GraphBuilder();
    const [a, b] = [g.input('a', 'float32', [2]), g.input('b', 'float32', [2])];
    const [dA, dB] = gradients(g, g.reduceSum(g.mul(a, a)), [a, b]);
    assert.ok(dA);
    assert.equal(dB, undefined);
  });

  it('differentiates what a value is an alternative to, and builds the value itself', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [2]);
    const plain = g.mul(a, a);
    const fast = g.alternative(g.pow(a, 2), plain);
    const [viaFast] = gradients(g, g.reduceSum(g.exp(fast)), [a]);
    assert.deepEqual(opsOf(g, fast), ['Pow']);
    assert.ok(!opsOf(g, viaFast).some((op) => op === 'Log' || op === 'Reciprocal'));
    const [of, again] = [gradients(g, g.exp(fast), [fast]), gradients(g, g.exp(fast), [plain])];
    assert.ok(of[0]);
    assert.equal(of[0], again[0]);
  });

  it('gives undefined behind an operator whose slope is declared to be zero', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [2]);
    assert.deepEqual(gradients(g, g.reduceSum(g.floor(a)), [a]), [undefined]);
    assert.deepEqual(gradients(g, g.reduceSum(g.cast(g.greater(a, 0), 'float32')), [a]), [undefined]);
  });

  it('passes by values that are not floating-point', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [4]);
    const [, indices] = g.op('TopK', [a, g.ints([2])], {}, { outputs: 2 });
    assert.ok(indices);
    assert.deepEqual(gradients(g, g.reduceSum(g.cast(indices, 'float32')), [a]), [undefined]);
  });

  it('names all operators without a rule at once, with their nodes', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [4]);
    const unknown = (op: string, input: Value, name: string): Value => {
      const [value] = g.op(op, [input], {}, { name, domain: 'com.example', types: [{ dtype: 'float32', shape: [4] }] });
      assert.ok(value);
      return value;
    };
    const y = unknown('Second', g.relu(unknown('First', a, 'first_0')), 'second_0');
    const beside = unknown('Beside', g.input('b', 'float32', [4]), 'beside_0');
    assert.throws(
      () => gradients(g, g.reduceSum(g.add(y, beside)), [a]),
      (thrown) => {
        assert.ok(thrown instanceof WorkbenchError);
        assert.equal(thrown.code, 'OP_NO_GRADIENT');
        assert.match(thrown.message, /First \(first_0\)/);
        assert.match(thrown.message, /Second \(second_0\)/);
        assert.doesNotMatch(thrown.message, /Beside/);
        return true;
      },
    );
  });

  it('does not look for a rule of an operator that is off the path', () => {
    const g = new GraphBuilder();
    const [a, b] = [g.input('a', 'float32', [4]), g.input('b', 'float32', [4])];
    const [odd] = g.op('Odd', [b], {}, { domain: 'com.example', types: [{ dtype: 'float32', shape: [4] }] });
    assert.ok(odd);
    assert.ok(gradients(g, g.reduceSum(g.mul(a, odd)), [a])[0]);
  });

  it('differentiates with respect to a value inside the graph', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [3]);
    const hidden = g.exp(a);
    const [dHidden] = gradients(g, g.reduceSum(g.mul(hidden, 2)), [hidden]);
    assert.ok(!opsOf(g, dHidden).includes('Exp'));
  });

  it('adds up what arrives over several paths', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [3]);
    const [dA] = gradients(g, g.reduceSum(g.add(g.add(g.sin(a), g.cos(a)), g.exp(a))), [a]);
    assert.ok(opsOf(g, dA).includes('Sum'));
  });

  it('takes the cotangents that it is given and ones otherwise', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [3]);
    const v = g.input('v', 'float32', [3]);
    const y = g.mul(a, 1);
    const [given, ones] = [gradients(g, [{ value: y, cotangent: v }], [a])[0], gradients(g, y, [a])[0]];
    assert.equal(given, v);
    assert.deepEqual(Array.from(ones?.constant?.data ?? [], Number), [1, 1, 1]);
  });

  it('gives a variable that is itself the target its cotangent', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', []);
    assert.equal(Number(gradients(g, a, [a])[0]?.constant?.data[0]), 1);
  });

  it('differentiates a gradient again, three times over', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [3]);
    let value: Value = g.tanh(a);
    for (let order = 1; order <= 3; order++) {
      const [next] = gradients(g, g.reduceSum(value), [a]);
      assert.ok(next, `order ${order}`);
      value = next;
    }
    assert.deepEqual(value.shape, [3]);
  });

  it('reports a form of an operator that has no gradient', () => {
    const g = new GraphBuilder();
    const [a, isTraining] = [g.input('a', 'float32', [3]), g.input('t', 'bool', [])];
    const [y] = g.op('Dropout', [a, undefined, isTraining]);
    assert.ok(y);
    assert.throws(() => gradients(g, y, [a]), /training_mode must be known/);
  });
});

describe('the rule table', () => {
  it('knows an operator of the standard set only', () => {
    assert.ok(findRule('Conv'));
    assert.equal(findRule('Conv', 'com.example'), undefined);
    assert.equal(findRule('NonMaxSuppression'), undefined);
  });

  it('says why a gradient is zero', () => {
    const zero = knownOps.map((op) => findRule(op)).filter((entry) => entry?.kind === 'zero');
    assert.ok(zero.length > 10);
    for (const entry of zero) assert.ok(entry.reason.length > 5, entry.op);
  });

  it('asks for no gradient of the training mask of Dropout when there is none', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [3]);
    const training = g.constant({ dtype: 'bool', dims: [], data: Uint8Array.from([1]) });
    const [y] = g.op('Dropout', [a, undefined, training], { seed: int(1) });
    assert.ok(y);
    assert.throws(() => gradients(g, y, [a]), /mask/);
  });
});
