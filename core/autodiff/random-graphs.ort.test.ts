import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { stream } from '../base/rng.ts';
import { GraphBuilder, type Value } from './builder.ts';
import { checkSubject, subjectOf } from './testing/gradient-check.ts';
import { tolerances } from './tolerances.ts';

/** Smooth steps from [2, 3] to [2, 3] that keep values of order 1; `b` is any earlier value. */
const steps: Readonly<Record<string, (g: GraphBuilder, a: Value, b: Value) => Value>> = {
  sum: (g, a, b) => g.mul(g.add(a, b), 0.7),
  difference: (g, a, b) => g.sub(a, b),
  product: (g, a, b) => g.mul(g.tanh(a), b),
  quotient: (g, a, b) => g.div(a, g.add(g.mul(b, b), 1)),
  root: (g, a) => g.sqrt(g.add(g.mul(a, a), 0.5)),
  power: (g, a, b) => g.pow(g.add(g.sigmoid(a), 0.5), g.tanh(b)),
  exponential: (g, a) => g.exp(g.mul(g.tanh(a), 0.5)),
  logarithm: (g, a) => g.log(g.add(g.exp(g.tanh(a)), 1)),
  wave: (g, a) => g.add(g.sin(a), g.cos(a)),
  sigmoid: (g, a) => g.sigmoid(a),
  softmax: (g, a) => g.softmax(a, 0),
  logSoftmax: (g, a) => g.logSoftmax(a, -1),
  centre: (g, a) => g.sub(a, g.reduceMean(a, [0], true)),
  rowSum: (g, a, b) => g.mul(g.tanh(b), g.reduceSum(a, [1], true)),
  norm: (g, a) => g.div(a, g.sqrt(g.add(g.reduceSumSquare(a, [1], true), 0.1))),
  product3: (g, a, b) => g.tanh(g.matmul(g.matmul(a, g.transpose(b, [1, 0])), a)),
  gemm: (g, a, b) => g.gemm(g.gemm(a, b, { transB: true, alpha: 0.3 }), a, { c: g.reduceMean(b, [0]), beta: 0.5 }),
  swap: (g, a, b) => g.concat([g.slice(a, [1], [1], [3]), g.slice(b, [1], [0], [1])], 1),
  reverse: (g, a) => g.slice(a, [1, 0], [-1, -1], [-10, -10], [-1, -1]),
  reshape: (g, a) => g.transpose(g.reshape(a, [3, 2]), [1, 0]),
  pick: (g, a) => g.gather(a, g.ints([2, 0, 2]), 1),
  window: (g, a) => g.slice(g.pad(a, [0, 1, 0, 1]), [1], [0], [3]),
};

const names = Object.keys(steps);

describe('gradients of random graphs', () => {
  it('match difference quotients at orders 1 and 2', async () => {
    const plan = fc.array(fc.record({ step: fc.constantFrom(...names), a: fc.nat(5), b: fc.nat(5) }), {
      minLength: 2,
      maxLength: 9,
    });
    await fc.assert(
      fc.asyncProperty(plan, fc.nat(1000), async (choices, seed) => {
        const rng = stream(seed, 'random graph');
        const g = new GraphBuilder();
        const variables = ['in0', 'in1'].map((name) => ({
          value: g.input(name, 'float64', [2, 3]),
          at: Array.from({ length: 6 }, () => rng.normal()),
        }));
        const values = variables.map(({ value }) => value);
        for (const { step, a, b } of choices) {
          const [left, right] = [values.at(-1 - (a % values.length)), values.at(-1 - (b % values.length))];
          assert.ok(left && right);
          const value = steps[step]?.(g, left, right);
          assert.ok(value);
          values.push(value);
        }
        const last = values.at(-1);
        assert.ok(last);
        const title = choices.map(({ step, a, b }) => `${step}(${a}, ${b})`).join(' ');
        // Chains of steps are steeper than single operators: derivatives of third and fourth order show in the quotients.
        const tolerance = { ...tolerances.float64, first: 1e-6, second: 1e-6, mixedStep: 2e-4, mixed: 2e-3 };
        await checkSubject(subjectOf(title, 'float64', g, variables, [last], {}, rng), tolerance);
      }),
      { seed: 20260, numRuns: 150 },
    );
  });
});
