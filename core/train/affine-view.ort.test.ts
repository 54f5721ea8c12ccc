import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillNormal, stream } from '../base/rng.ts';
import { float32, floatsOf, sizeOf } from '../base/tensor.ts';
import { GraphBuilder } from '../autodiff/builder.ts';
import { gradients } from '../autodiff/differentiate.ts';
import { affineTheta, randomAffine, warpAffine } from '../data/augment.ts';
import { compile } from '../runtime/session.ts';
import { affineView } from './affine-view.ts';

const dims = [3, 2, 7, 5] as const;
const images = new Float32Array(sizeOf(dims));
fillNormal(stream(1, 'images'), images);

async function viewOf(thetas: readonly number[]): Promise<{ view: Float32Array; gradient: Float32Array }> {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', dims);
  const theta = g.input('theta', 'float32', [3, 2, 3]);
  const view = affineView(g, x, theta);
  g.output('view', view);
  g.output(
    'gradient',
    gradients(g, [{ value: view, cotangent: g.input('v', 'float32', dims) }], [x])[0] ?? assert.fail(),
  );
  const session = await compile(g.build('view'), { device: 'cpu', threads: 1 });
  const feeds = { x: float32(dims, images), theta: float32([3, 2, 3], thetas), v: float32(dims, images) };
  const { view: seen, gradient } = await session.run(feeds);
  await session.close();
  return { view: floatsOf(seen ?? assert.fail()), gradient: floatsOf(gradient ?? assert.fail()) };
}

const near = (a: ArrayLike<number>, b: ArrayLike<number>): void => {
  for (let i = 0; i < b.length; i++)
    assert.ok(Math.abs((a[i] ?? NaN) - (b[i] ?? NaN)) < 2e-5, `${i}: ${a[i]}, ${b[i]}`);
};

describe('an affine view in the graph', () => {
  it('is the warp on the host, each image by its own theta', async () => {
    const ranges = { rotationDegrees: 60, translatePixels: 2, scaleMin: 0.6, scaleMax: 1.4, height: 7, width: 5 };
    const thetas = [0, 1, 2].flatMap((i) => randomAffine(stream(2, i), ranges));
    const expected = new Float32Array(images.length);
    warpAffine(images, [...dims], thetas, expected);
    near((await viewOf(thetas)).view, expected);
  });

  it('leaves images as they are for the identity, and shifts by whole pixels with a zero border', async () => {
    const identity = [1, 0, 0, 0, 1, 0];
    const right = affineTheta({ angle: 0, scale: 1, shiftX: 1, shiftY: 0 }, 7, 5);
    const { view } = await viewOf([...identity, ...right, ...identity]);
    near(view.subarray(0, 70), images.subarray(0, 70));
    for (let row = 0; row < 14; row++) {
      const at = 70 + row * 5;
      near(view.subarray(at, at + 5), [0, ...images.subarray(at, at + 4)]);
    }
  });

  it('sends a gradient back to where each pixel came from', async () => {
    const ranges = { rotationDegrees: 30, translatePixels: 1, scaleMin: 0.8, scaleMax: 1.2, height: 7, width: 5 };
    const thetas = [0, 1, 2].flatMap((i) => randomAffine(stream(3, i), ranges));
    const { view, gradient } = await viewOf(thetas);
    // The view is linear in the image: ⟨v, A x⟩ = ⟨Aᵀ v, x⟩, here with v = x.
    const inner = (a: Float32Array): number => a.reduce((sum, value, i) => sum + value * (images[i] ?? NaN), 0);
    assert.ok(Math.abs(inner(view) - inner(gradient)) < 1e-4 * Math.abs(inner(view)) + 1e-4);
  });
});
