import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { openTeacher, testDigits } from '../testing/teacher.ts';
import { dataFreePerturbation, featureNames } from './data-free.ts';
import { perturbationOverImages } from './over-images.ts';
import { universalPerturbation } from './uap.ts';
import { answersOf, foolingRate, perturbed, signNoise, type UniversalRun } from './universal.ts';

const victim = await openTeacher();
after(() => victim.close());
const { images } = await testDigits(300);
const size = 784;
const made = images.subarray(0, 100 * size);
const shown = images.subarray(100 * size);
const before = await answersOf(victim, shown);
const epsilon = 0.3;
const noise = await foolingRate(victim, shown, before, signNoise(size, epsilon, 0));

async function finish(run: UniversalRun): Promise<Float32Array> {
  let last = -1;
  for (;;) {
    const step = await run.next();
    if (step.done) return step.value;
    assert.ok(step.value.done >= last && step.value.done <= step.value.total, 'progress moves forward');
    last = step.value.done;
  }
}

const rateOf = (v: Float32Array): Promise<number> => foolingRate(victim, shown, before, v);
const largest = (v: Float32Array): number => v.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

describe('a universal perturbation', () => {
  it('stays in the ball, and images under it in the box', async () => {
    const v = await finish(perturbationOverImages(victim, made, { epsilon, seed: 0, epochs: 2 }));
    assert.ok(largest(v) <= epsilon + 1e-6 && largest(v) > epsilon / 2);
    const under = perturbed(shown, v, victim.bounds);
    assert.ok(under.every((value) => value >= 0 && value <= 1));
  });

  it('by gradient steps fools images that it was not made from, far more than noise of its size', async () => {
    const rate = await rateOf(await finish(perturbationOverImages(victim, made, { epsilon, seed: 0, epochs: 10 })));
    assert.ok(rate > 0.3 && rate > 5 * noise, `${rate} against ${noise}`);
  });

  it('by DeepFool’s steps fools more than noise', async () => {
    const few = images.subarray(0, 40 * size);
    const v = await finish(universalPerturbation(victim, few, { epsilon, seed: 0, passes: 3 }));
    assert.ok(largest(v) <= epsilon + 1e-6);
    assert.ok((await rateOf(v)) > 2 * noise, `${await rateOf(v)} against ${noise}`);
  });

  it('does not hang on how many steps are made at a time', async () => {
    const options = { epsilon, seed: 0, loss: 'gd-uap', steps: 210, validation: made.subarray(0, 4 * size) } as const;
    const range = { mean: 0.13, deviation: 0.3 };
    const [few, many] = [7, 40].map((stepsPerChunk) =>
      dataFreePerturbation({ ...victim, stepsPerChunk }, { ...options, range }),
    );
    assert.ok(few && many);
    assert.deepEqual(await finish(few), await finish(many));
  });

  it('is made without any image by raising the features, and fools more than noise', async () => {
    for (const loss of ['gd-uap', 'fff'] as const) {
      const v = await finish(
        dataFreePerturbation(victim, { epsilon, seed: 0, loss, steps: 400, validation: made.subarray(0, 20 * size) }),
      );
      assert.ok(largest(v) <= epsilon + 1e-6);
      assert.ok((await rateOf(v)) > 2 * noise, `${loss}: ${await rateOf(v)} against ${noise}`);
    }
  });

  it('comes out again to the bit with the same seed, and not with another', async () => {
    const again = (seed: number): Promise<Float32Array> =>
      finish(perturbationOverImages(victim, made, { epsilon, seed, epochs: 1 }));
    assert.deepEqual(await again(1), await again(1));
    assert.notDeepEqual(await again(1), await again(2));
  });
});

describe('the features that a data-free perturbation raises', () => {
  it('are taken after the activation of each convolution', () => {
    const { graph, title } = victim.model;
    const names = featureNames(graph, title);
    const makers = names.map((name) => graph.nodes.find(({ outputs }) => outputs.includes(name))?.op);
    assert.deepEqual(makers, ['Relu', 'Relu']);
  });

  it('do not exist in a single linear layer', () => {
    const { graph } = victim.model;
    const nodes = graph.nodes.slice(-1);
    assert.throws(() => featureNames({ ...graph, nodes }, 'linear.onnx'), {
      code: 'MODEL_UNSUITABLE',
      message: /linear\.onnx has no hidden layer/,
    });
  });
});
