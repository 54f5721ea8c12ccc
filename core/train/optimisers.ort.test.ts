import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { float32, floatsOf, type Tensor } from '../base/tensor.ts';
import { GraphBuilder, type Value } from '../autodiff/builder.ts';
import { compile } from '../runtime/session.ts';
import { createOptimiser, optimiserKinds, type Optimiser, type OptimiserOptions } from './optimisers.ts';

const Fixture = z.object({
  value: z.array(
    z.object({
      kind: z.enum(optimiserKinds),
      options: z.object({
        lr: z.number(),
        momentum: z.number().optional(),
        nesterov: z.boolean().optional(),
        weight_decay: z.number().optional(),
        betas: z.tuple([z.number(), z.number()]).optional(),
        eps: z.number().optional(),
      }),
      after: z.array(z.array(z.number())),
    }),
  ),
});
const { value: cases } = Fixture.parse(
  JSON.parse(readFileSync(new URL('fixtures/optimisers.json', import.meta.url), 'utf8')),
);

const wave = (phase: number, scale: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: 6 }, (_, i) => Math.sin(i * 0.37 + phase) * scale);

/** Runs the updates one by one; `still` has no gradient. */
async function updates(optimiser: Optimiser, learningRate: number, grads: readonly Float32Array<ArrayBuffer>[]) {
  const parameters: Record<string, Tensor> = { p: float32([6], wave(0.5, 1)), still: float32([2], [3, 4]) };
  let state: Record<string, Tensor> = optimiser.stateFor(parameters);
  const g = new GraphBuilder();
  const declare = (tensors: Record<string, Tensor>): Record<string, Value> =>
    Object.fromEntries(Object.entries(tensors).map(([name, t]) => [name, g.input(name, t.dtype, t.dims)]));
  const inputs = { parameters: declare(parameters), state: declare(state) };
  const next = optimiser.update(g, {
    ...inputs,
    grads: { p: g.input('grad', 'float32', [6]), still: undefined },
    scalars: g.input('scalars', 'float32', [optimiser.scalarCount]),
  });
  for (const [name, value] of Object.entries({ ...next.parameters, ...next.state })) g.output(`next ${name}`, value);
  const session = await compile(g.build('update'), { device: 'cpu', threads: 1 });
  const after: Float32Array[] = [];
  let current = { ...parameters };
  for (const [step, grad] of grads.entries()) {
    const scalars = float32([optimiser.scalarCount], optimiser.scalars(learningRate, step));
    const result = await session.run({ ...current, ...state, grad: float32([6], grad), scalars });
    const take = (names: Record<string, Tensor>) =>
      Object.fromEntries(Object.keys(names).map((name) => [name, result[`next ${name}`] ?? assert.fail(name)]));
    current = take(current);
    state = take(state);
    after.push(floatsOf(current['p'] ?? assert.fail()));
  }
  await session.close();
  assert.deepEqual(current['still']?.data, Float32Array.of(3, 4));
  return after;
}

const grads = Array.from({ length: 6 }, (_, step) => wave(2 + step, 0.3 * 10 ** (step - 4)));

describe('an optimiser', () => {
  for (const { kind, options, after } of cases) {
    it(`${kind} ${JSON.stringify(options)} makes PyTorch's updates`, async () => {
      const ours: OptimiserOptions = {
        ...(options.momentum === undefined ? {} : { momentum: options.momentum }),
        ...(options.nesterov === undefined ? {} : { nesterov: options.nesterov }),
        ...(options.weight_decay === undefined ? {} : { weightDecay: options.weight_decay }),
        ...(options.betas === undefined ? {} : { beta1: options.betas[0], beta2: options.betas[1] }),
        ...(options.eps === undefined ? {} : { epsilon: options.eps }),
      };
      const result = await updates(createOptimiser(kind, ours), options.lr, grads);
      assert.equal(result.length, after.length);
      result.forEach((row, step) =>
        row.forEach((value, i) => {
          const expected = after[step]?.[i] ?? NaN;
          assert.ok(
            Math.abs(value - expected) <= 1e-6 * Math.max(0.1, Math.abs(expected)),
            `step ${step}[${i}]: ${value}, expected ${expected}`,
          );
        }),
      );
    });
  }

  it('signed Adam takes steps of the learning rate whatever the size of the gradient', async () => {
    const [first = assert.fail()] = await updates(createOptimiser('adam', { signed: true }), 0.01, [wave(2, 1e-3)]);
    const start = wave(0.5, 1);
    first.forEach((value, i) => {
      const direction = Math.sign(wave(2, 1)[i] ?? 0);
      assert.ok(Math.abs(value - ((start[i] ?? 0) - 0.01 * direction)) < 1e-6);
    });
  });
});
