import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillNormal, stream } from '../../base/rng.ts';
import { float32, floatsOf, sizeOf } from '../../base/tensor.ts';
import { compile } from '../../runtime/session.ts';
import { GraphBuilder } from '../builder.ts';
import { gradients } from '../differentiate.ts';

interface Layer {
  readonly name: string;
  /** [N, C, H, W]. */
  readonly images: readonly [number, number, number, number];
  readonly kernel: readonly [number, number];
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
}

const layers: readonly Layer[] = [
  {
    name: 'one block of rows',
    images: [2, 3, 10, 9],
    kernel: [3, 3],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [1, 1, 1, 1],
  },
  {
    name: 'blocks of rows with a rest',
    images: [2, 2, 31, 12],
    kernel: [7, 5],
    strides: [1, 1],
    dilations: [1, 1],
    pads: [3, 2, 3, 2],
  },
  {
    name: 'dilated, padded on one side',
    images: [1, 3, 21, 20],
    kernel: [3, 2],
    strides: [1, 1],
    dilations: [2, 3],
    pads: [0, 3, 2, 0],
  },
  { name: 'few rows', images: [3, 4, 7, 7], kernel: [3, 3], strides: [1, 1], dilations: [1, 1], pads: [1, 1, 1, 1] },
  {
    name: 'stride 2 past the end',
    images: [2, 3, 16, 15],
    kernel: [3, 3],
    strides: [2, 2],
    dilations: [1, 1],
    pads: [1, 1, 1, 1],
  },
  {
    name: 'steps that leave rows unread',
    images: [2, 3, 18, 17],
    kernel: [2, 2],
    strides: [3, 4],
    dilations: [2, 1],
    pads: [0, 0, 0, 0],
  },
];

const random = (name: string, dims: readonly number[]): Float32Array<ArrayBuffer> => {
  const data = new Float32Array(sizeOf(dims));
  fillNormal(stream(5, name), data);
  return data;
};

/** dW [C, kh, kw] by its definition. */
function byDefinition(
  layer: Layer,
  images: Float32Array,
  cotangent: Float32Array,
  [rows = 1, columns = 1]: readonly number[],
): number[] {
  const {
    images: [n, c, height, width],
    kernel,
    strides,
    dilations,
    pads,
  } = layer;
  return Array.from({ length: c * kernel[0] * kernel[1] }, (_, index) => {
    const [j, i] = [index % kernel[1], Math.floor(index / kernel[1]) % kernel[0]];
    const channel = Math.floor(index / (kernel[0] * kernel[1]));
    const positions = rows * columns;
    let total = 0;
    for (let image = 0; image < n; image++) {
      for (let at = 0; at < positions; at++) {
        const y = Math.floor(at / columns) * strides[0] + i * dilations[0] - pads[0];
        const x = (at % columns) * strides[1] + j * dilations[1] - pads[1];
        if (y < 0 || x < 0 || y >= height || x >= width) continue;
        const plane = image * c + channel;
        total += images[(plane * height + y) * width + x]! * cotangent[plane * positions + at]!;
      }
    }
    return total;
  });
}

describe('the kernel gradient of a depthwise convolution', () => {
  for (const layer of layers) {
    it(`is what its definition says: ${layer.name}`, async () => {
      const { images, kernel, strides, dilations, pads } = layer;
      const channels = images[1];
      const g = new GraphBuilder();
      const weight = g.input('weight', 'float32', [channels, 1, ...kernel]);
      const y = g.conv(g.input('images', 'float32', images), weight, undefined, {
        strides,
        dilations,
        pads,
        group: channels,
      });
      const cotangent = g.input('cotangent', 'float32', y.shape);
      const [grad = assert.fail()] = gradients(g, [{ value: y, cotangent }], [weight]);
      assert.notEqual(g.plainOf(grad), grad, 'a way of its own');
      g.output('grad', grad);
      const session = await compile(g.build('kernel gradient'), { device: 'cpu', threads: 1 });
      const [x, dY] = [random('images', images), random('cotangent', y.shape)];
      const feeds = {
        images: float32(images, x),
        cotangent: float32(y.shape, dY),
        weight: float32(weight.shape, random('weight', weight.shape)),
      };
      const used = Object.fromEntries(Object.entries(feeds).filter(([name]) => session.inputNames.includes(name)));
      const result = floatsOf((await session.run(used))['grad'] ?? assert.fail());
      await session.close();
      const expected = byDefinition(layer, x, dY, y.shape.slice(2));
      assert.equal(result.length, expected.length);
      const scale = Math.max(...expected.map(Math.abs));
      expected.forEach((value, i) => assert.ok(Math.abs(value - (result[i] ?? NaN)) < 1e-5 * scale, `element ${i}`));
    });
  }
});
