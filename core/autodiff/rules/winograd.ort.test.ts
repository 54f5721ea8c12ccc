import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillNormal, stream } from '../../base/rng.ts';
import { float32, floatsOf, sizeOf } from '../../base/tensor.ts';
import { compile } from '../../runtime/session.ts';
import { GraphBuilder } from '../builder.ts';
import { gradients } from '../differentiate.ts';
import { fastConv } from './Conv.ts';
import type { ConvGeometry } from './conv-shape.ts';
import { winogradConv, winogradInputGradient, winogradKernelGradient } from './winograd.ts';

interface Layer {
  readonly images: readonly [number, number, number, number];
  readonly filters: number;
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
}

const layers: readonly Layer[] = [
  { images: [2, 3, 8, 8], filters: 4, pads: [1, 1, 1, 1] },
  { images: [3, 2, 7, 9], filters: 5, pads: [1, 1, 1, 1] },
  { images: [1, 4, 6, 5], filters: 2, pads: [0, 0, 0, 0] },
  { images: [2, 2, 5, 6], filters: 3, pads: [2, 0, 1, 2] },
  // More filters than tiles.
  { images: [1, 12, 6, 6], filters: 20, pads: [1, 1, 1, 1] },
];

const random = (name: string, dims: readonly number[]) => {
  const data = new Float32Array(sizeOf(dims));
  fillNormal(stream(1, name), data);
  return float32(dims, data);
};

describe('minimal filtering', () => {
  for (const m of [2, 4] as const) {
    for (const { images, filters, pads } of layers) {
      it(`with ${m} × ${m} tiles is the convolution and its gradients: ${images.join(' × ')}, pads ${pads.join()}`, async () => {
        const kernel = [filters, images[1], 3, 3];
        const g = new GraphBuilder();
        const [x, weight] = [g.input('x', 'float32', images), g.input('weight', 'float32', kernel)];
        const frozen = g.constant(random('weight', kernel));
        const plain = g.conv(x, weight, undefined, { pads });
        const dY = g.input('dY', 'float32', plain.shape);
        const [dX, dW] = gradients(g, [{ value: plain, cotangent: dY }], [x, weight]);
        const geo: ConvGeometry = {
          rank: 2,
          kernel: [3, 3],
          strides: [1, 1],
          dilations: [1, 1],
          padBegin: pads.slice(0, 2),
          padEnd: pads.slice(2),
          group: 1,
        };
        const [rows = 1, columns = 1] = plain.shape.slice(2).map((size) => Math.ceil(size / m));
        const tiling = { m, rows, columns };
        const pairs = {
          Y: [winogradConv(g, x, weight, geo, tiling), plain],
          dX: [winogradInputGradient(g, dY, weight, geo, tiling, images), dX ?? assert.fail()],
          'Y of a constant kernel': [winogradConv(g, x, frozen, geo, tiling), plain],
          'dX of a constant kernel': [winogradInputGradient(g, dY, frozen, geo, tiling, images), dX ?? assert.fail()],
          dW: [winogradKernelGradient(g, x, dY, geo, tiling), dW ?? assert.fail()],
        } as const;
        for (const [name, [fast, expected]] of Object.entries(pairs)) {
          g.output(`${name} fast`, fast);
          g.output(`${name} plain`, expected);
        }
        const session = await compile(g.build('winograd'), { device: 'cpu', threads: 1 });
        const results = await session.run({
          x: random('x', images),
          weight: random('weight', kernel),
          dY: random('dY', plain.shape),
        });
        await session.close();
        for (const name of Object.keys(pairs)) {
          const [fast, expected] = ['fast', 'plain'].map((kind) => results[`${name} ${kind}`] ?? assert.fail());
          assert.deepEqual(fast?.dims, expected?.dims);
          const values = floatsOf(expected ?? assert.fail());
          const scale = Math.max(...values.map(Math.abs));
          floatsOf(fast ?? assert.fail()).forEach((value, i) =>
            assert.ok(
              Math.abs(value - (values[i] ?? NaN)) < 3e-5 * scale,
              `${name}[${i}]: ${value}, expected ${values[i]}`,
            ),
          );
        }
      });
    }
  }

  const wide = (device: 'cpu' | 'gpu', kernel: readonly number[], strides = [1, 1]) => {
    const g = new GraphBuilder('', device);
    const x = g.input('x', 'float32', [32, kernel[1] ?? 1, 8, 8]);
    const weight = g.input('weight', 'float32', kernel);
    const plain = g.conv(x, weight, undefined, { pads: [1, 1, 1, 1], strides });
    return { g, plain, x, weight };
  };

  it('is chosen for wide 3 × 3 layers with changing kernels on the CPU only', () => {
    const isChosen = ({ g, plain }: ReturnType<typeof wide>): boolean => fastConv(g, plain) !== plain;
    assert.equal(isChosen(wide('cpu', [256, 256, 3, 3])), true);
    assert.equal(isChosen(wide('gpu', [256, 256, 3, 3])), false);
    assert.equal(isChosen(wide('cpu', [256, 256, 3, 3], [2, 2])), false);
    assert.equal(isChosen(wide('cpu', [256, 256, 1, 1])), false);
    assert.equal(isChosen(wide('cpu', [8, 8, 3, 3])), false);
  });

  it('leaves kernels that stay what they are to onnxruntime, unless memory may be spent', () => {
    const shape = [128, 128, 3, 3];
    const chosen = (spends: boolean): boolean[] => {
      const g = new GraphBuilder();
      if (spends) g.spendMemory();
      const x = g.input('x', 'float32', [32, 128, 16, 16]);
      const [constant, fixed, free] = [
        g.constant(random('frozen', shape)),
        g.input('fixed', 'float32', shape),
        g.input('free', 'float32', shape),
      ];
      g.fix(fixed);
      return [constant, fixed, g.mul(fixed, 2), free].map((weight) => {
        const plain = g.conv(x, weight, undefined, { pads: [1, 1, 1, 1] });
        return fastConv(g, plain) !== plain;
      });
    };
    assert.deepEqual(chosen(false), [false, false, false, true]);
    assert.deepEqual(chosen(true), [true, true, true, true]);
  });

  it('takes the input gradient of a constant kernel the same way where memory may be spent', () => {
    const ops = (spends: boolean): string[] => {
      const g = new GraphBuilder();
      if (spends) g.spendMemory();
      const x = g.input('x', 'float32', [16, 256, 8, 8]);
      const plain = g.conv(x, g.constant(random('frozen', [256, 256, 3, 3])), undefined, { pads: [1, 1, 1, 1] });
      const [dX] = gradients(g, [{ value: plain, cotangent: g.input('dY', 'float32', plain.shape) }], [x]);
      g.output('dX', dX ?? assert.fail());
      return g.build('gradient').nodes.map(({ op }) => op);
    };
    assert.deepEqual(ops(false), ['Conv']);
    assert.ok(!ops(true).includes('Conv') && ops(true).includes('MatMul'));
  });

  it('has the derivatives of the convolution it stands for, to any order', () => {
    const { g, plain, weight } = wide('cpu', [256, 256, 3, 3]);
    const y = fastConv(g, plain);
    const [first] = gradients(g, g.reduceSum(g.mul(y, y)), [weight]);
    const [second] = gradients(g, g.reduceSum(first ?? assert.fail()), [weight]);
    assert.deepEqual(second?.shape, [256, 256, 3, 3]);
  });
});
