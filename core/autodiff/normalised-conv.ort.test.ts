import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fillNormal, stream } from '../base/rng.ts';
import { float32, floatsOf, sizeOf, type Tensor } from '../base/tensor.ts';
import { compile } from '../runtime/session.ts';
import { GraphBuilder, type Value } from './builder.ts';
import { gradients } from './differentiate.ts';
import { inlineGraph } from './inline.ts';
import type { Graph } from '../onnx/graph.ts';

const random = (name: string, dims: readonly number[], centre = 0): Tensor => {
  const data = new Float32Array(sizeOf(dims));
  fillNormal(stream(9, name), data);
  return float32(
    dims,
    data.map((value) => centre + 0.3 * value),
  );
};

const names = ['w', 'b', 'scale', 'bias', 'mean', 'variance'];
const tensors = (filters: number): Record<string, Tensor> => ({
  w: random('w', [filters, 3, 3, 3]),
  ...Object.fromEntries(names.slice(1).map((name) => [name, random(name, [filters], name === 'variance' ? 2 : 0.5)])),
});

/** A convolution and its batch normalisation; `isRead` puts out what lies between as well. */
function file(weights: Readonly<Record<string, Tensor>>, isRead: boolean): Graph {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [2, 3, 9, 9]);
  const [w, b, ...statistics] = Object.entries(weights).map(([name, value]) => g.constant(value, name));
  const y = g.conv(x, w ?? assert.fail(), b, { strides: [2, 2] });
  if (isRead) g.output('between', y);
  const [z = assert.fail()] = g.op('BatchNormalization', [y, ...statistics]);
  g.output('z', z);
  return g.build('file');
}

/** Operators, and what the graph and the gradients of Σ z² by all of `wrt` are. */
async function run(graph: Graph, weights: Readonly<Record<string, Tensor>>, wrt: readonly string[]) {
  const g = new GraphBuilder('host/');
  const x = g.input('images', 'float32', [2, 3, 9, 9]);
  const parameters: Record<string, Value> = {};
  for (const name of wrt) parameters[name] = g.input(`p/${name}`, 'float32', weights[name]?.dims ?? []);
  const z = inlineGraph(g, graph, { inputs: { x }, parameters }).outputs['z'] ?? assert.fail();
  const grads = gradients(g, g.reduceSumSquare(z), [x, ...Object.values(parameters)]);
  g.output('z', z);
  ['x', ...wrt].forEach((name, i) => g.output(`d/${name}`, grads[i] ?? assert.fail()));
  const built = g.build('host');
  const session = await compile(built, { device: 'cpu', threads: 1 });
  const feeds: Record<string, Tensor> = { images: random('images', [2, 3, 9, 9]) };
  for (const name of wrt) feeds[`p/${name}`] = weights[name] ?? assert.fail();
  const results = await session.run(feeds);
  await session.close();
  return { ops: new Set(built.nodes.map(({ op }) => op)), results };
}

describe('a batch normalisation after a convolution', () => {
  for (const wrt of [[], ['w', 'b', 'scale', 'bias']]) {
    it(`goes into its kernels, values and gradients kept, with ${wrt.length} parameters open`, async () => {
      const weights = tensors(4);
      const [folded, plain] = [
        await run(file(weights, false), weights, wrt),
        await run(file(weights, true), weights, wrt),
      ];
      assert.ok(!folded.ops.has('BatchNormalization'));
      assert.ok(plain.ops.has('BatchNormalization'), 'what lies between is read, so that both are kept');
      for (const [name, value] of Object.entries(plain.results)) {
        const [ours, theirs] = [floatsOf(folded.results[name] ?? assert.fail()), floatsOf(value)];
        const scale = Math.max(...theirs.map(Math.abs));
        theirs.forEach((number, i) => assert.ok(Math.abs(number - (ours[i] ?? NaN)) < 1e-5 * scale, `${name} ${i}`));
      }
    });
  }

  it('stays where trained kernels have more elements than a few images', async () => {
    const weights = tensors(4);
    const wide = { ...weights, w: random('w', [4, 3, 6, 6]) };
    assert.ok((await run(file(wide, false), wide, ['w'])).ops.has('BatchNormalization'));
    assert.ok(!(await run(file(wide, false), wide, [])).ops.has('BatchNormalization'), 'of constants it is free');
  });
});
