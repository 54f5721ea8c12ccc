import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32, floatsOf, sizeOf } from '../../base/tensor.ts';
import { fillUniform, stream } from '../../base/rng.ts';
import { writeModel } from '../../onnx/write.ts';
import { openSession } from '../../runtime/session.ts';
import { forDelivery, parameterCount, trainableParameters } from '../parameters.ts';
import { architectures, buildArchitecture } from './architectures.ts';

/** Trainable scalars with 10 classes on the default input; from the papers or from the equal PyTorch modules. */
const counts: Readonly<Record<string, number>> = {
  lenet5: 61_706,
  'lenet5-half': 15_738,
  'lenet5-half-filters': 35_820,
  mlp: 784 * 128 + 128 + 1290,
  convnet3: 320_010,
  'lenet-zhu': 13_426,
  'lenet-zhu-pool': 13_426,
  'lenet-zhu-wide': 41_242,
  'convnet-small': 97_290,
  alexnet: 1_659_178,
  'alexnet-half': 417_434,
  vgg11: 9_231_114,
  vgg19: 20_040_522,
  resnet18: 11_173_962,
  resnet34: 21_282_122,
  resnet20: 269_722,
  'wrn-40-2': 2_243_546,
  'wrn-16-1': 175_066,
  'mobilenet-v2': 2_236_682,
};

const session = { device: 'cpu', threads: 1 } as const;

describe('the zoo', () => {
  it('has a known parameter count for every architecture', () => {
    assert.deepEqual(Object.keys(counts).sort(), Object.keys(architectures).sort());
  });
  for (const [id, architecture] of Object.entries(architectures)) {
    const [channels, height, width] = architecture.defaultInput;
    const model = buildArchitecture(id, { channels, height, width, classes: 10, seed: 1 });

    it(`${id} has ${counts[id]} trainable parameters`, () => {
      assert.equal(parameterCount(model.graph), counts[id]);
    });
    it(`${id} runs in onnxruntime with batches of 1 and 5, row by row the same`, async () => {
      const exported = forDelivery(model);
      assert.deepEqual(exported.graph.inputs[0]?.shape, ['batch', channels, height, width]);
      assert.ok(!exported.graph.nodes.some((node) => node.op === 'Dropout'));
      const opened = await openSession(writeModel(exported), session, id);
      const data = new Float32Array(5 * sizeOf(architecture.defaultInput));
      fillUniform(stream(7, 'images'), data);
      const five = await opened.run({ input: float32([5, channels, height, width], data) });
      const last = data.slice(4 * sizeOf(architecture.defaultInput));
      const one = await opened.run({ input: float32([1, channels, height, width], last) });
      await opened.close();
      assert.deepEqual(five['logits']?.dims, [5, 10]);
      const rows = floatsOf(five['logits'] ?? float32([0], []));
      const row = floatsOf(one['logits'] ?? float32([0], []));
      row.forEach((value, i) => assert.ok(Math.abs(value - (rows[40 + i] ?? NaN)) < 1e-4 * (1 + Math.abs(value))));
    });
  }

  it('gives the same weights for a seed and others for another', () => {
    const weights = (seed: number) =>
      trainableParameters(
        buildArchitecture('lenet5', { channels: 1, height: 28, width: 28, classes: 10, seed }).graph,
      ).map(({ initial }) => initial.data);
    assert.deepEqual(weights(3), weights(3));
    assert.notDeepEqual(weights(3), weights(4));
  });

  it('builds LeNet-5 for 32 × 32 images with as many parameters', () => {
    const model = buildArchitecture('lenet5', { channels: 1, height: 32, width: 32, classes: 10, seed: 0 });
    assert.equal(parameterCount(model.graph), 61_706);
  });

  it('names parameters as PyTorch does', () => {
    const names = (id: string) =>
      trainableParameters(
        buildArchitecture(id, { channels: 3, height: 32, width: 32, classes: 10, seed: 0 }).graph,
      ).map(({ name }) => name);
    assert.deepEqual(names('lenet5').slice(0, 4), ['conv1.weight', 'conv1.bias', 'conv2.weight', 'conv2.bias']);
    assert.ok(names('resnet18').includes('layer2.0.downsample.1.weight'));
    assert.ok(!names('resnet18').some((name) => name.includes('running')));
  });

  it('refuses an unknown name and images that are too small', () => {
    const tiny = { channels: 1, height: 6, width: 6, classes: 10, seed: 0 };
    assert.throws(() => buildArchitecture('lenet6', tiny), { code: 'PARAM_INVALID', hint: /lenet5/ });
    assert.throws(() => buildArchitecture('lenet5', tiny), { code: 'PARAM_INVALID', message: /1 × 6 × 6/ });
  });
});
