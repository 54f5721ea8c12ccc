import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillUniform, stream } from '../base/rng.ts';
import { float32, floatsOf } from '../base/tensor.ts';
import { compile } from '../runtime/session.ts';
import { multiplyAdds } from './cost.ts';
import { arraySource, createPredictor } from './evaluate.ts';
import { buildArchitecture } from './zoo/architectures.ts';

const { graph } = buildArchitecture('lenet5-half', { channels: 1, height: 28, width: 28, classes: 10, seed: 2 });
const shape = [1, 28, 28] as const;
const session = { device: 'cpu', threads: 1 } as const;
const images = new Float32Array(10 * 784);
fillUniform(stream(1, 'images'), images);
const source = arraySource(images, shape);

describe('a predictor', () => {
  it('gives the logits of every image, the last batch filled up', async () => {
    const predictor = await createPredictor({ graph, shape, batchSize: 4, session });
    const seen: number[] = [];
    const logits = await predictor.predict(source, { onProgress: (done) => seen.push(done) });
    await predictor.close();
    assert.equal(predictor.classes, 10);
    assert.deepEqual(seen, [4, 8, 10]);
    const whole = await compile(graph, session);
    const result = await whole.run({ input: float32([10, ...shape], images) });
    const expected = floatsOf(result['logits'] ?? assert.fail(), 'logits');
    await whole.close();
    assert.equal(logits.length, 100);
    logits.forEach((value, i) => assert.ok(Math.abs(value - (expected[i] ?? NaN)) < 1e-5));
  });

  it('prepares images inside the graph', async () => {
    const prepared = await createPredictor({ graph, shape, session, prepare: (g, x) => g.mul(g.sub(x, 0.5), 2) });
    const plain = await createPredictor({ graph, shape, session });
    const scaled = arraySource(
      images.map((x) => (x - 0.5) * 2),
      shape,
    );
    const [a, b] = [await prepared.predict(source), await plain.predict(scaled)];
    await Promise.all([prepared.close(), plain.close()]);
    a.forEach((value, i) => assert.ok(Math.abs(value - (b[i] ?? NaN)) < 1e-5));
  });

  it('stops between batches when it is told to', async () => {
    const predictor = await createPredictor({ graph, shape, batchSize: 2, session });
    const controller = new AbortController();
    const seen: number[] = [];
    const stopped = predictor.predict(source, {
      signal: controller.signal,
      onProgress: (done) => {
        seen.push(done);
        if (done === 4) controller.abort();
      },
    });
    await assert.rejects(stopped, { code: 'CANCELLED' });
    assert.deepEqual(seen, [2, 4]);
    await predictor.close();
  });

  it('refuses images of another size', async () => {
    const predictor = await createPredictor({ graph, shape, session });
    await assert.rejects(predictor.predict(arraySource(new Float32Array(1024), [1, 32, 32])), {
      code: 'SHAPE_MISMATCH',
      message: /expects images of 1 × 28 × 28, got 1 × 32 × 32/,
    });
    await predictor.close();
  });
});

describe('the cost of a model', () => {
  it('counts the multiply-adds of LeNet-5', () => {
    const lenet = buildArchitecture('lenet5', { channels: 1, height: 28, width: 28, classes: 10, seed: 0 }).graph;
    const expected = 28 * 28 * 6 * 25 + 10 * 10 * 16 * 150 + 400 * 120 + 120 * 84 + 84 * 10;
    assert.equal(multiplyAdds(lenet, [1, 1, 28, 28]), expected);
    assert.equal(multiplyAdds(lenet, [3, 1, 28, 28]), 3 * expected);
  });
});
