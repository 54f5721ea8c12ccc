import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { floatsOf, type Tensor } from '../base/tensor.ts';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { cutAtLogits, openClassifier } from './classifier.ts';
import { loadModel } from './read.ts';
import { runModel, wave } from './testing/one-node.ts';
import { houseModel } from './write.ts';

const teacher = join(import.meta.dirname, 'testdata/lenet5-half-mnist.onnx');
const images = wave([3, 1, 28, 28]);

async function logitsOfFile(): Promise<readonly number[]> {
  const session = await InferenceSession.create(teacher, { intraOpNumThreads: 1 });
  const { logits } = await session.run({ input: new OrtTensor('float32', floatsOf(images), images.dims) });
  await session.release();
  return Array.from(logits?.data ?? [], Number);
}

const valuesOf = (tensor: Tensor | undefined): readonly number[] =>
  tensor === undefined ? [] : Array.from(floatsOf(tensor));

describe('a teacher file', () => {
  it('gives identical logits after reading and writing', async () => {
    const { logits } = await runModel(await loadModel(teacher), { input: images });
    assert.deepEqual(valuesOf(logits), await logitsOfFile());
  });

  it('gives identical logits after lifting and cutting at the logits', async () => {
    const { model } = await openClassifier(teacher);
    const { logits } = await runModel(houseModel(cutAtLogits(model)), { input: images });
    assert.deepEqual(valuesOf(logits), await logitsOfFile());
  });
});
