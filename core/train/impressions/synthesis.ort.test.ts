import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { WorkbenchError } from '../../base/errors.ts';
import { fillUniform, stream } from '../../base/rng.ts';
import { float32, floatsOf, type FloatTensor } from '../../base/tensor.ts';
import { randomAffine, warpAffine } from '../../data/augment.ts';
import { logSoftmaxRows, softmaxRows } from '../../metrics/probabilities.ts';
import { Network } from '../zoo/network.ts';
import {
  openSynthesis,
  type Synthesis,
  type SynthesisOptions,
  type SynthesisState,
  type SynthesisTeacher,
} from './synthesis.ts';
import { rowEntropies, sampleTargets, noSimilarity } from './targets.ts';

const shape = [1, 3, 4] as const;
const [, height, width] = shape;
const size = 12;
const plain: SynthesisOptions = {
  batchSize: 3,
  steps: 8,
  learningRate: 0.05,
  schedule: 'constant',
  temperature: 4,
  pixels: 'free',
  initial: 'uniform',
  initialScale: 1,
  totalVariation: 0,
  sparsity: 0,
  batchNormPrior: 0,
  view: { rotationDegrees: 0, scaleMin: 1, scaleMax: 1, translatePixels: 0 },
  warmStart: false,
  seed: 2,
};

type Build = (net: Network) => ReturnType<Network['finish']>;

function teacherOf(classes: number, build: Build, bounds: readonly [number, number] = [0, 1]): SynthesisTeacher {
  const { graph } = build(new Network('teacher', { channels: 1, height, width, classes, seed: 4 }));
  return { graph, inputName: 'input', logitsName: 'logits', shape, classes, bounds, batchNorms: [] };
}

/** Pixels are the logits. */
const mirror = (bounds?: readonly [number, number]): SynthesisTeacher =>
  teacherOf(size, (net) => net.finish(net.flatten(net.input)), bounds);
const small = (): SynthesisTeacher =>
  teacherOf(5, (net) => net.finish(net.linear('fc2', net.relu(net.linear('fc1', net.flatten(net.input), 16)), 5)));

async function opened(
  t: TestContext,
  teacher: SynthesisTeacher,
  more: Partial<SynthesisOptions> = {},
): Promise<Synthesis> {
  const synthesis = await openSynthesis(teacher, { ...plain, ...more }, { device: 'cpu', threads: 1 });
  t.after(() => synthesis.close());
  return synthesis;
}

const targetsFor = (rows: number, k: number): FloatTensor =>
  float32([rows, k], sampleTargets(noSimilarity(k), { kind: 'uniform', count: rows, scales: [1], seed: 5 }).targets);
const imagesOf = (state: SynthesisState): Float32Array => floatsOf(state['x'] ?? assert.fail());
/** Adam's first moment of a first step is the gradient itself (it is kept undivided). */
const gradientOf = (state: SynthesisState): Float32Array => floatsOf(state['first.x'] ?? assert.fail());
const first = (synthesis: Synthesis, targets: FloatTensor, batch = 0) =>
  synthesis.advance({ batch, state: synthesis.start(batch), from: 0, count: 1, targets });

function near(found: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  assert.equal(found.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    assert.ok(
      Math.abs((found[i] ?? NaN) - (expected[i] ?? NaN)) <= tolerance,
      `element ${i}: ${found[i]}, expected ${expected[i]}`,
    );
  }
}

/** Mean over rows of −Σ y log softmax(z / τ). */
function crossEntropy(logits: Float32Array, targets: Float32Array, k: number, temperature: number): number {
  const logs = logSoftmaxRows(logits, k, temperature);
  return -targets.reduce((sum, y, i) => sum + y * (logs[i] ?? NaN), 0) / (logits.length / k);
}

describe('the synthesis loss', () => {
  it('has the gradient (p − y) / τ at the logits, summed over the batch', async (t) => {
    const targets = targetsFor(3, size);
    for (const temperature of [1, 4, 20]) {
      const synthesis = await opened(t, mirror(), { temperature });
      const x = imagesOf(synthesis.start(0));
      const p = softmaxRows(x, size, temperature);
      near(
        gradientOf((await first(synthesis, targets)).state),
        p.map((value, i) => (value - (targets.data[i] ?? NaN)) / temperature),
        1e-6,
      );
    }
  });

  it('is the mean cross-entropy of each step at the temperature, never below the entropy of the targets', async (t) => {
    const synthesis = await opened(t, mirror(), { learningRate: 0.5, steps: 60 });
    const targets = targetsFor(3, size);
    const state = synthesis.start(0);
    const { losses } = await synthesis.advance({ batch: 0, state, from: 0, count: 60, targets });
    near([losses[0] ?? NaN], [crossEntropy(imagesOf(state), targets.data, size, 4)]);
    const floor = rowEntropies(targets.data, size).reduce((a, b) => a + b, 0) / 3;
    assert.ok(losses.every((loss) => loss >= floor - 1e-6));
    assert.ok((losses.at(-1) ?? NaN) < floor + 0.2 * ((losses[0] ?? NaN) - floor), `${losses.at(-1)} over ${floor}`);
  });

  it('moves an image alike in a batch of any size', async (t) => {
    const teacher = small();
    const [four, two] = [await opened(t, teacher, { batchSize: 4 }), await opened(t, teacher, { batchSize: 2 })];
    const targets = targetsFor(4, 5);
    const state = four.start(0);
    const whole = await four.advance({ batch: 0, state, from: 0, count: 8, targets });
    for (const half of [0, 1]) {
      const part = (data: Float32Array, row: number): Float32Array<ArrayBuffer> =>
        Float32Array.from(data.subarray(2 * half * row, 2 * (half + 1) * row));
      const cut = Object.fromEntries(
        Object.entries(state).map(([name, value]) => [name, float32([2, ...shape], part(floatsOf(value), size))]),
      );
      const wanted = float32([2, 5], part(targets.data, 5));
      const piece = await two.advance({ batch: 0, state: cut, from: 0, count: 8, targets: wanted });
      near(imagesOf(piece.state), part(imagesOf(whole.state), size));
    }
  });

  it('adds the total variation of each image, by its weight', async (t) => {
    const targets = targetsFor(3, size);
    const [without, with_] = [await opened(t, mirror()), await opened(t, mirror(), { totalVariation: 0.3 })];
    const x = imagesOf(without.start(0));
    const expected = new Float32Array(x.length);
    const pair = (a: number, b: number): void => {
      const sign = Math.sign((x[b] ?? NaN) - (x[a] ?? NaN));
      expected[b]! += 0.3 * sign;
      expected[a]! -= 0.3 * sign;
    };
    for (let image = 0; image < 3; image++) {
      for (let i = 0; i < height; i++) {
        for (let j = 0; j < width; j++) {
          const at = image * size + i * width + j;
          if (j + 1 < width) pair(at, at + 1);
          if (i + 1 < height) pair(at, at + width);
        }
      }
    }
    const [a, b] = [await first(without, targets), await first(with_, targets)];
    near(
      gradientOf(b.state).map((value, i) => value - (gradientOf(a.state)[i] ?? NaN)),
      expected,
    );
    near(b.losses, a.losses, 0);
  });

  it('adds the sum of absolute pixels, by its weight', async (t) => {
    const targets = targetsFor(3, size);
    const normal = { initial: 'normal' } as const;
    const [without, with_] = [
      await opened(t, mirror(), normal),
      await opened(t, mirror(), { ...normal, sparsity: 0.2 }),
    ];
    const x = imagesOf(without.start(0));
    assert.ok(x.some((value) => value < 0));
    const [a, b] = [await first(without, targets), await first(with_, targets)];
    near(
      gradientOf(b.state).map((value, i) => value - (gradientOf(a.state)[i] ?? NaN)),
      x.map((value) => 0.2 * Math.sign(value)),
    );
  });

  it('looks at fresh random views, the same as a warp on the host', async (t) => {
    const view = { rotationDegrees: 30, scaleMin: 0.7, scaleMax: 1.3, translatePixels: 1 };
    const synthesis = await opened(t, mirror(), { view });
    const targets = targetsFor(3, size);
    for (const batch of [0, 1]) {
      let state = synthesis.start(batch);
      for (let step = 0; step < 3; step++) {
        const rng = stream(plain.seed, 'view', batch, step);
        const thetas = Array.from({ length: 3 }, () => randomAffine(rng, { ...view, height, width })).flat();
        const seen = new Float32Array(3 * size);
        warpAffine(imagesOf(state), [3, ...shape], thetas, seen);
        const expected = crossEntropy(seen, targets.data, size, plain.temperature);
        const result = await synthesis.advance({ batch, state, from: step, count: 1, targets });
        near(result.losses, [expected]);
        ({ state } = result);
      }
    }
  });
});

describe('the pixel rule', () => {
  const targets = targetsFor(3, size);
  const after = async (t: TestContext, more: Partial<SynthesisOptions>, bounds?: readonly [number, number]) => {
    const synthesis = await opened(t, mirror(bounds), more);
    return imagesOf(
      (await synthesis.advance({ batch: 0, state: synthesis.start(0), from: 0, count: 8, targets })).state,
    );
  };
  const extremes = (values: Float32Array): [number, number] => [Math.min(...values), Math.max(...values)];

  it('"clamp" keeps pixels in the range, and lets them rest exactly on its ends', async (t) => {
    assert.deepEqual(extremes(await after(t, { pixels: 'clamp', learningRate: 0.5 })), [0, 1]);
    assert.deepEqual(extremes(await after(t, { pixels: 'clamp', learningRate: 0.5 }, [-1, 3])), [-1, 3]);
  });

  it('"free" leaves them alone', async (t) => {
    const [low, high] = extremes(await after(t, { pixels: 'free', learningRate: 0.5 }));
    assert.ok(low < -0.5 && high > 1.5, `${low} … ${high}`);
  });

  it('"mixed" clips every other batch as "clamp" does and leaves the rest as "free" does', async (t) => {
    const rules = { mixed: 'mixed', clamp: 'clamp', free: 'free' } as const;
    for (const [batch, like] of ['clamp', 'free', 'clamp'].entries()) {
      const images: Record<string, Float32Array> = {};
      for (const [name, pixels] of Object.entries(rules)) {
        const synthesis = await opened(t, mirror(), { pixels, learningRate: 0.5 });
        const state = synthesis.start(batch);
        images[name] = imagesOf((await synthesis.advance({ batch, state, from: 0, count: 8, targets })).state);
      }
      assert.deepEqual(images['mixed'], images[like]);
      assert.notDeepEqual(images['clamp'], images['free']);
    }
  });

  it('"image-min-max" stretches each image over the range exactly', async (t) => {
    for (const bounds of [
      [0, 1],
      [-1, 3],
    ] as const) {
      const images = await after(t, { pixels: 'image-min-max' }, bounds);
      for (let i = 0; i < 3; i++) assert.deepEqual(extremes(images.subarray(i * size, (i + 1) * size)), [...bounds]);
    }
  });

  it('"batch-min-max" stretches the batch as a whole', async (t) => {
    const images = await after(t, { pixels: 'batch-min-max', learningRate: 0.2 });
    assert.deepEqual(extremes(images), [0, 1]);
    const whole = [0, 1, 2].filter((i) => extremes(images.subarray(i * size, (i + 1) * size)).join() === '0,1');
    assert.ok(whole.length < 3);
  });
});

describe('the start of a batch', () => {
  const startOf = async (
    t: TestContext,
    more: Partial<SynthesisOptions>,
    batch = 0,
    bounds?: readonly [number, number],
  ) => imagesOf((await opened(t, mirror(bounds), { batchSize: 100, ...more })).start(batch));

  it('hangs on the seed and the batch', async (t) => {
    const [a, same] = [await startOf(t, {}), await startOf(t, {})];
    assert.deepEqual(a, same);
    assert.notDeepEqual(await startOf(t, { seed: 3 }), a);
    assert.notDeepEqual(await startOf(t, {}, 1), a);
  });

  it('is uniform within its share of the range, or normal', async (t) => {
    const uniform = await startOf(t, { initialScale: 0.3 }, 0, [-1, 3]);
    assert.ok(uniform.every((value) => value >= -1 && value <= -1 + 0.3 * 4));
    const expected = new Float32Array(uniform.length);
    fillUniform(stream(plain.seed, 'initial', 0), expected, 0, 0.3);
    near(
      uniform,
      expected.map((value) => -1 + 4 * value),
      1e-6,
    );
    const normal = await startOf(t, { initial: 'normal', initialScale: 0.5 });
    const deviation = Math.sqrt(normal.reduce((sum, value) => sum + value * value, 0) / normal.length);
    assert.ok(Math.abs(deviation - 0.5) < 0.05, `${deviation}`);
  });
});

describe('the optimiser of the pixels', () => {
  const moves = async (
    t: TestContext,
    more: Partial<SynthesisOptions>,
    from: number,
    bounds?: readonly [number, number],
  ) => {
    const synthesis = await opened(t, mirror(bounds), more);
    const state = synthesis.start(0);
    const result = await synthesis.advance({ batch: 0, state, from, count: 1, targets: targetsFor(3, size) });
    return imagesOf(result.state).map((value, i) => value - (imagesOf(state)[i] ?? NaN));
  };

  it('takes a first step of the learning rate, as a share of the pixel range', async (t) => {
    near((await moves(t, {}, 0)).map(Math.abs), new Float32Array(3 * size).fill(0.05), 1e-4);
    near((await moves(t, {}, 0, [-1, 3])).map(Math.abs), new Float32Array(3 * size).fill(0.2), 1e-4);
  });

  it('with the linear schedule falls to nothing over the steps', async (t) => {
    const constant = await moves(t, {}, 6);
    near(
      await moves(t, { schedule: 'linear' }, 6),
      constant.map((value) => value / 4),
      1e-6,
    );
    near(await moves(t, { schedule: 'linear' }, 0), await moves(t, {}, 0), 0);
  });

  it('starts counting again with each batch, but goes on counting in a warm chain', async (t) => {
    const targets = targetsFor(3, size);
    const used = async (warmStart: boolean, batch: number, from: number) => {
      const synthesis = await opened(t, mirror(), { warmStart });
      const { state } = await synthesis.advance({ batch: 0, state: synthesis.start(0), from: 0, count: 8, targets });
      return imagesOf((await synthesis.advance({ batch, state, from, count: 1, targets })).state);
    };
    assert.deepEqual(await used(true, 1, 0), await used(true, 0, 8));
    assert.deepEqual(await used(false, 1, 0), await used(false, 0, 0));
    assert.notDeepEqual(await used(true, 1, 0), await used(false, 1, 0));
  });
});

describe('a synthesis that diverges', () => {
  const targets = targetsFor(3, 5);
  const diverges = async (t: TestContext, count: number): Promise<WorkbenchError> => {
    const synthesis = await opened(t, small(), { learningRate: 1e38, steps: 40 });
    let state = synthesis.start(0);
    let lastLoss: number | undefined;
    for (let from = 0; from < 40; from += count) {
      try {
        const result = await synthesis.advance({ batch: 7, state, from, count, targets, lastLoss });
        ({ state } = result);
        lastLoss = result.losses.at(-1);
      } catch (thrown) {
        assert.ok(thrown instanceof WorkbenchError);
        return thrown;
      }
    }
    return assert.fail('it did not diverge');
  };

  it('stops with batch, step and the last finite loss, whatever the chunk', async (t) => {
    const [single, chunk] = [await diverges(t, 1), await diverges(t, 8)];
    assert.equal(chunk.code, 'NUMERIC_DIVERGED');
    assert.match(chunk.message, /batch 7 .* at step \d+; the last finite loss was [\d.e+]+$/);
    assert.match(chunk.hint ?? '', /learning rate/);
    assert.match(JSON.stringify(single.details), /"lastFinite":\d/);
  });

  it('does not hand on images that the last update threw out of the numbers', async (t) => {
    const synthesis = await opened(t, small(), { learningRate: 1e39 });
    await assert.rejects(
      synthesis.advance({ batch: 0, state: synthesis.start(0), from: 0, count: 1, targets }),
      /synthesis images of batch 0 stopped being finite numbers at step 0; the last finite loss was \d/,
    );
  });
});
