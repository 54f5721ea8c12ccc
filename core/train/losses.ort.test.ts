import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { float32, floatsOf, int64, type Tensor } from '../base/tensor.ts';
import { GraphBuilder, type Value } from '../autodiff/builder.ts';
import { gradients } from '../autodiff/differentiate.ts';
import { compile } from '../runtime/session.ts';
import { accuracy, cosineDistance, crossEntropy, distillation, logitsL1 } from './losses.ts';

const { value: fixture } = z
  .object({ value: z.record(z.string(), z.object({ loss: z.number(), gradient: z.array(z.number()) })) })
  .parse(JSON.parse(readFileSync(new URL('fixtures/losses.json', import.meta.url), 'utf8')));

const wave = (phase: number, scale: number): Tensor =>
  float32(
    [4, 5],
    Float32Array.from({ length: 20 }, (_, i) => Math.sin(i * 0.37 + phase) * scale),
  );

function softmax(rows: Tensor): Tensor {
  const data = floatsOf(rows).map(Math.exp);
  return float32(
    [4, 5],
    data.map((x, i) => x / data.subarray(i - (i % 5), i - (i % 5) + 5).reduce((a, b) => a + b, 0)),
  );
}

const logits = wave(0.1, 3);
const other = wave(1.7, 4);
const labels = int64([4], [0, 3, 4, 1]);
const soft = softmax(wave(0.9, 2));

type Make = (g: GraphBuilder, logits: Value) => Value;

async function evaluate(make: Make): Promise<{ loss: number; gradient: Float32Array }> {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [4, 5]);
  const loss = make(g, x);
  const [grad] = gradients(g, loss, [x]);
  g.output('loss', loss);
  if (grad) g.output('grad', grad);
  const session = await compile(g.build('loss'), { device: 'cpu', threads: 1 });
  const result = await session.run({ x: logits });
  await session.close();
  return {
    loss: floatsOf(result['loss'] ?? assert.fail())[0] ?? NaN,
    gradient: result['grad'] ? floatsOf(result['grad']) : new Float32Array(20),
  };
}

const losses: Readonly<Record<string, Make>> = {
  hard: (g, x) => crossEntropy(g, x, g.constant(labels)),
  smoothed: (g, x) => crossEntropy(g, x, g.constant(labels), { smoothing: 0.1 }),
  soft: (g, x) => crossEntropy(g, x, g.constant(soft), { temperature: 3 }),
  distillation: (g, x) => distillation(g, x, g.constant(other), { temperature: 4 }),
  l1: (g, x) => logitsL1(g, x, g.constant(other)),
  cosine: (g, x) => cosineDistance(g, x, g.constant(other)),
};

describe('a loss', () => {
  for (const [name, make] of Object.entries(losses)) {
    it(`${name} has PyTorch's value and gradient`, async () => {
      const expected = fixture[name] ?? assert.fail();
      const { loss, gradient } = await evaluate(make);
      assert.ok(
        Math.abs(loss - expected.loss) < 1e-6 * Math.max(1, Math.abs(expected.loss)),
        `${loss}, expected ${expected.loss}`,
      );
      expected.gradient.forEach((value, i) =>
        assert.ok(Math.abs((gradient[i] ?? NaN) - value) < 1e-6, `gradient[${i}]`),
      );
    });
  }

  it('distillation is zero where student and teacher agree', async () => {
    const { loss, gradient } = await evaluate((g, x) => distillation(g, x, g.constant(logits), { temperature: 7 }));
    assert.ok(Math.abs(loss) < 1e-5);
    assert.ok(gradient.every((value) => Math.abs(value) < 1e-6));
  });

  it('distillation has the gradient of cross-entropy with the teacher, times the squared temperature', async () => {
    const kl = await evaluate((g, x) => distillation(g, x, g.constant(other), { temperature: 4 }));
    const ce = await evaluate((g, x) => {
      const teacher = g.softmax(g.div(g.constant(other), 4));
      return g.mul(crossEntropy(g, x, teacher, { temperature: 4 }), 16);
    });
    kl.gradient.forEach((value, i) => assert.ok(Math.abs(value - (ce.gradient[i] ?? NaN)) < 1e-5));
  });

  it('sums, averages or keeps rows', async () => {
    const mean = await evaluate((g, x) => crossEntropy(g, x, g.constant(labels)));
    const sum = await evaluate((g, x) => crossEntropy(g, x, g.constant(labels), { reduction: 'sum' }));
    const rows = await evaluate((g, x) =>
      g.reduceMax(crossEntropy(g, x, g.constant(labels), { reduction: 'none' }), [0]),
    );
    assert.ok(Math.abs(sum.loss - 4 * mean.loss) < 1e-5);
    assert.ok(rows.loss > mean.loss && rows.loss < sum.loss);
  });

  it('accuracy counts rows whose largest logit is the label, hard or soft', async () => {
    const data = floatsOf(logits);
    const best = [0, 1, 2, 3].map((row) => {
      const values = [...data.subarray(row * 5, row * 5 + 5)];
      return values.indexOf(Math.max(...values));
    });
    const targets = int64(
      [4],
      best.map((label, row) => (row === 0 ? (label + 1) % 5 : label)),
    );
    assert.equal((await evaluate((g, x) => accuracy(g, x, g.constant(targets)))).loss, 0.75);
    assert.equal((await evaluate((g, x) => accuracy(g, x, g.softmax(g.constant(logits))))).loss, 1);
  });

  it('refuses targets of another shape', async () => {
    await assert.rejects(
      evaluate((g, x) => crossEntropy(g, x, g.constant(int64([3], [0, 1, 2])))),
      { code: 'SHAPE_MISMATCH', message: /expected targets of shape \[4\], got \[3\]/ },
    );
  });
});
