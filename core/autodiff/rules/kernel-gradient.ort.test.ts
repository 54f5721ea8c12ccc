import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillNormal, stream } from '../../base/rng.ts';
import { float32, floatsOf, sizeOf } from '../../base/tensor.ts';
import { compile } from '../../runtime/session.ts';
import { GraphBuilder } from '../builder.ts';
import { gradients } from '../differentiate.ts';

interface Layer {
  readonly name: string;
  readonly images: readonly [number, number, number, number];
  readonly kernel: readonly [number, number, number, number];
  readonly stride: number;
}

/** Batches that are worked off in several parts, one layer for each layout of the patches. */
const layers: readonly Layer[] = [
  { name: 'few channels', images: [40, 4, 28, 28], kernel: [2, 4, 5, 5], stride: 1 },
  { name: 'many channels, stride 2', images: [20, 32, 31, 31], kernel: [2, 32, 3, 3], stride: 2 },
];

const random = (name: string, dims: readonly number[]): Float32Array<ArrayBuffer> => {
  const data = new Float32Array(sizeOf(dims));
  fillNormal(stream(3, name), data);
  return data;
};

/** dW of the sum of cotangent · conv(images), the batch cut into parts of `part` images first. */
async function kernelGradientOf({ images, kernel, stride }: Layer, part: number): Promise<Float32Array> {
  const [n, ...shape] = images;
  const strides = [stride, stride];
  const g = new GraphBuilder();
  const weight = g.input('weight', 'float32', kernel);
  const all = g.input('images', 'float32', images);
  const outputs = g
    .split(
      all,
      0,
      Array.from({ length: n / part }, () => part),
    )
    .map((x) => g.conv(x, weight, undefined, { strides }));
  const dims = [n, ...(outputs[0]?.shape.slice(1) ?? [])];
  const cotangent = g.input('cotangent', 'float32', dims);
  const [grad = assert.fail()] = gradients(g, g.reduceSum(g.mul(g.concat(outputs, 0), cotangent)), [weight]);
  g.output('grad', grad);
  const session = await compile(g.build('kernel gradient'), { device: 'cpu', threads: 1 });
  const feeds = {
    weight: float32(kernel, random('weight', kernel)),
    images: float32(images, random('images', [n, ...shape])),
    cotangent: float32(dims, random('cotangent', dims)),
  };
  // The weights do not enter their own gradient, so that the session may have dropped them.
  const used = Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputNames.includes(name)));
  const result = await session.run(used);
  await session.close();
  return floatsOf(result['grad'] ?? assert.fail());
}

describe('the kernel gradient of a large batch', () => {
  for (const layer of layers) {
    it(`is the sum over its parts: ${layer.name}`, async () => {
      const [whole, parts] = [await kernelGradientOf(layer, layer.images[0]), await kernelGradientOf(layer, 1)];
      const scale = Math.max(...parts.map(Math.abs));
      whole.forEach((value, i) => assert.ok(Math.abs(value - (parts[i] ?? NaN)) < 1e-4 * scale, `element ${i}`));
    });
  }
});
