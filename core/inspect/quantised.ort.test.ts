import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { int64, tensor } from '../base/tensor.ts';
import { int, ints } from '../autodiff/attributes.ts';
import { GraphBuilder } from '../autodiff/builder.ts';
import type { OnnxModel } from '../onnx/graph.ts';
import { houseModel, writeModel } from '../onnx/write.ts';
import { openSession } from '../runtime/session.ts';
import { norm } from './compare.ts';
import { gradientModel } from './gradient-model.ts';
import { randomTensor } from './testing/tiny-models.ts';

/** A convolution, a max pool and a linear layer; `step`: every value between them is rounded to its multiples. */
function network(step: number | undefined): OnnxModel {
  const g = new GraphBuilder();
  const rounded = (value: ReturnType<GraphBuilder['input']>) => {
    if (step === undefined) return value;
    const [scale, zero] = [g.floats([], [step]), g.constant(tensor('int16', [], Int16Array.of(3)))];
    const [quantised] = g.op('QuantizeLinear', [value, scale, zero]);
    const [real] = g.op('DequantizeLinear', [quantised, scale, zero]);
    assert.ok(real);
    return real;
  };
  const image = g.input('image', 'float32', [2, 1, 6, 6]);
  const kernel = randomTensor([3, 1, 3, 3], 'kernel');
  const [filtered] = g.op('Conv', [rounded(image), g.constant(kernel)], { pads: ints([1, 1, 1, 1]) });
  const [pooled] = g.op('MaxPool', [rounded(filtered ?? image)], {
    kernel_shape: ints([2, 2]),
    strides: ints([2, 2]),
  });
  const features = g.reshape(rounded(pooled ?? image), [2, 27]);
  const weights = g.constant(randomTensor([4, 27], 'weights'));
  const [logits] = g.op('Gemm', [features, weights], { transB: int(1) });
  assert.ok(logits);
  g.output('logits', rounded(logits));
  return houseModel(g.build('network'));
}

async function dxOf(model: OnnxModel): Promise<Float32Array<ArrayBuffer>> {
  const { model: file } = gradientModel(model, { of: 'cross-entropy', wrt: ['input'], order: 1 });
  const session = await openSession(writeModel(file), { device: 'cpu', threads: 1 }, 'gradient');
  const { dx } = await session.run({ image: randomTensor([2, 1, 6, 6], 'image'), labels: int64([2], [1, 3]) });
  await session.close();
  assert.ok(dx?.data instanceof Float32Array);
  return dx.data;
}

describe('a gradient file of a quantised model', () => {
  it('loads, holds no quantisation of its own, and looks through fine rounding', async () => {
    const [plain, fine] = [await dxOf(network(undefined)), await dxOf(network(2 ** -11))];
    assert.ok(norm(plain) > 0);
    assert.ok(norm(fine, plain) <= 0.01 * norm(plain), `differs by ${norm(fine, plain) / norm(plain)}`);
    const { model } = gradientModel(network(2 ** -11), { of: 'cross-entropy', wrt: ['input'], order: 1 });
    assert.deepEqual(
      model.graph.nodes.filter(({ op }) => op.endsWith('uantizeLinear')),
      [],
    );
  });

  it('gives nothing to what was cut off', async () => {
    // int16 at this scale ends at ± 0.03: nearly every pixel lies beyond.
    const cut = await dxOf(network(2 ** -20));
    assert.ok(cut.filter((value) => value === 0).length > cut.length / 2);
  });
});
