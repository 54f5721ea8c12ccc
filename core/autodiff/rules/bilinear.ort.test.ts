import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stream } from '../../base/rng.ts';
import { float32 } from '../../base/tensor.ts';
import { compile } from '../../runtime/session.ts';
import { flag, string } from '../attributes.ts';
import { GraphBuilder } from '../builder.ts';
import { gradients } from '../differentiate.ts';
import { sampleBilinear } from './bilinear-parts.ts';

/** Values, image gradient and theta gradient of an affine view, by the GridSample operator or by gathers. */
async function affineView(alignCorners: boolean, byOperator: boolean): Promise<Record<string, number[]>> {
  const g = new GraphBuilder();
  const [image, theta] = [g.input('image', 'float32', [3, 2, 6, 5]), g.input('theta', 'float32', [3, 2, 3])];
  const grid = g.affineGrid(theta, [3, 2, 4, 7], alignCorners);
  const attributes = { mode: string('linear'), align_corners: flag(alignCorners) };
  const [view] = byOperator
    ? g.op('GridSample', [image, grid], attributes)
    : [sampleBilinear(g, image, grid, alignCorners)];
  assert.ok(view);
  g.output('view', view);
  gradients(g, g.reduceSum(g.mul(view, view)), [image, theta]).forEach((value, i) => {
    assert.ok(value);
    g.output(`d${i}`, value);
  });
  const session = await compile(g.build('view'), { device: 'cpu', threads: 1 });
  const rng = stream(5, 'view');
  const draw = (size: number): number[] => Array.from({ length: size }, () => rng.normal());
  const results = await session.run({ image: float32([3, 2, 6, 5], draw(180)), theta: float32([3, 2, 3], draw(18)) });
  await session.close();
  return Object.fromEntries(Object.entries(results).map(([name, value]) => [name, Array.from(value.data, Number)]));
}

describe('sampleBilinear', () => {
  for (const alignCorners of [false, true]) {
    it(`equals GridSample and its gradients ${alignCorners ? 'with' : 'without'} aligned corners`, async () => {
      const [expected, found] = [await affineView(alignCorners, true), await affineView(alignCorners, false)];
      assert.ok(expected['view']?.some((value) => value === 0) && expected['view'].some((value) => value !== 0));
      for (const [name, values] of Object.entries(expected)) {
        values.forEach((value, i) => {
          const got = found[name]?.[i] ?? Number.NaN;
          assert.ok(Math.abs(got - value) <= 1e-4 * (1 + Math.abs(value)), `${name}[${i}]: ${got}, expected ${value}`);
        });
      }
    });
  }
});
