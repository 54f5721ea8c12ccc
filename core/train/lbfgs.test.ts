import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { freshLbfgsState, lbfgsStep, type LbfgsOptions } from './lbfgs.ts';
import type { Evaluated } from './lbfgs-vectors.ts';

interface Trace {
  readonly options: Record<string, number | string>;
  readonly calls: number;
  readonly losses: readonly number[];
  readonly points: readonly (readonly number[])[];
}

// Made by bench/reference/leakage_fixtures.py.
const fixture = JSON.parse(readFileSync(new URL('./fixtures/lbfgs.json', import.meta.url), 'utf8')) as Record<
  'plain' | 'short' | 'wolfe',
  Trace
>;

/** As in the script: numbers in [0, 1) that both sides can make. */
const scattered = (i: number, salt: number): number =>
  Math.abs(Math.sin(12.9898 * (i + 1) + 78.233 * salt) * 43758.5453) % 1;
const start = (): Float64Array<ArrayBuffer> => Float64Array.from({ length: 8 }, (_, i) => 2 * scattered(i, 1) - 1);

/** Σ (1 + i) log cosh(x_i − sin i) + ½ Σ (x_{i+1} − x_i²)² */
function valley(x: Float64Array): Evaluated {
  const gradient = new Float64Array(x.length);
  let loss = 0;
  x.forEach((value, i) => {
    const away = value - Math.sin(i);
    loss += (1 + i) * Math.log(Math.cosh(away));
    gradient[i]! += (1 + i) * Math.tanh(away);
    const next = x[i + 1];
    if (next === undefined) return;
    const gap = next - value ** 2;
    loss += 0.5 * gap ** 2;
    gradient[i]! -= 2 * gap * value;
    gradient[i + 1]! += gap;
  });
  return { loss, gradient };
}

function optionsOf({ options }: Trace): LbfgsOptions {
  const { lr, max_iter: maxIterations, history_size: history, line_search_fn: lineSearch } = options;
  return {
    ...(lr === undefined ? {} : { learningRate: Number(lr) }),
    ...(maxIterations === undefined ? {} : { maxIterations: Number(maxIterations) }),
    ...(history === undefined ? {} : { history: Number(history) }),
    ...(lineSearch === undefined ? {} : { lineSearch: 'strong-wolfe' }),
  };
}

async function traceOf(expected: Trace): Promise<{ losses: number[]; points: number[][] }> {
  const losses: number[] = [];
  const points: number[][] = [];
  let [x, state] = [start(), freshLbfgsState];
  for (let call = 0; call < expected.calls; call++) {
    const result = await lbfgsStep(
      x,
      state,
      (at) => {
        const value = valley(at);
        losses.push(value.loss);
        return Promise.resolve(value);
      },
      optionsOf(expected),
    );
    ({ x, state } = result);
    points.push([...x]);
  }
  assert.equal(state.evaluations, losses.length);
  return { losses, points };
}

describe('L-BFGS', () => {
  for (const [name, expected] of [
    ['without line search', fixture.plain],
    ['with a short history', fixture.short],
    ['with a strong-Wolfe line search', fixture.wolfe],
  ] as const) {
    it(`goes the way of PyTorch's ${name}, evaluation by evaluation`, async () => {
      const { losses, points } = await traceOf(expected);
      assert.equal(losses.length, expected.losses.length);
      assert.ok(losses.length >= 12);
      losses.forEach((loss, i) =>
        assert.ok(Math.abs(loss - (expected.losses[i] ?? NaN)) <= 1e-9 * Math.abs(loss), `loss ${i}`),
      );
      points.forEach((point, call) =>
        point.forEach((value, i) =>
          assert.ok(Math.abs(value - (expected.points[call]?.[i] ?? NaN)) <= 1e-8, `x ${i} after ${call}`),
        ),
      );
    });
  }
  it('ends a call when the gradient is within its tolerance, without a move', async () => {
    const flat = (x: Float64Array): Promise<Evaluated> => Promise.resolve({ loss: 0, gradient: x.map(() => 1e-8) });
    const { x, state } = await lbfgsStep(start(), freshLbfgsState, flat);
    assert.deepEqual(x, start());
    assert.deepEqual([state.evaluations, state.iterations], [1, 0]);
  });
  it('ends a call after five quarters as many evaluations as iterations', async () => {
    let count = 0;
    const steep = (x: Float64Array): Promise<Evaluated> => {
      count++;
      return Promise.resolve({ loss: -count, gradient: x.map((_, i) => Math.sin(count * (i + 1))) });
    };
    const options = { maxIterations: 20, maxEvaluations: 7 };
    const { state } = await lbfgsStep(start(), freshLbfgsState, steep, options);
    assert.deepEqual([count, state.evaluations], [7, 7]);
  });
  it('goes on after not-a-number, and hands it to its caller', async () => {
    const broken = (x: Float64Array): Promise<Evaluated> => Promise.resolve({ loss: NaN, gradient: x.map(() => NaN) });
    const { x, loss } = await lbfgsStep(start(), freshLbfgsState, broken);
    assert.ok(Number.isNaN(loss));
    assert.ok(x.every(Number.isNaN));
  });
});
