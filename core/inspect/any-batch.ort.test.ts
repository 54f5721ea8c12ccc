import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32, int64, type Tensor } from '../base/tensor.ts';
import { int } from '../autodiff/attributes.ts';
import { GraphBuilder, type Value } from '../autodiff/builder.ts';
import type { Graph } from '../onnx/graph.ts';
import { compile } from '../runtime/session.ts';
import { generaliseBatch } from './any-batch.ts';
import { norm } from './compare.ts';
import { randomTensor } from './testing/tiny-models.ts';

type Body = (g: GraphBuilder, x: Value) => Value;

/** From x [N, 4] to y, for one batch size; the same for any. */
const builder =
  (body: Body) =>
  (n: number): Graph => {
    const g = new GraphBuilder('inner/');
    g.output('y', body(g, g.input('x', 'float32', [n, 4], ['rows', 4])));
    return g.build('fixed');
  };

const anyOf = (body: Body): ReturnType<typeof generaliseBatch> =>
  generaliseBatch(builder(body), { input: 'x', dimension: 'rows', prefix: 'any/' });

const cases: Record<string, Body> = {
  'a reshape to one size that follows the batch': (g, x) => g.reshape(x, [2 * (x.shape[0] ?? 0), 2]),
  'a reshape to two sizes that do': (g, x) => {
    const [n = 1] = x.shape;
    return g.reshape(g.matmul(x, g.transpose(x, [1, 0])), [1, n, n, 1]);
  },
  'a reshape with a size of 7': (g, x) => {
    const wide = g.concat([x, x, x, x, x, x, x], 1);
    return g.reshape(wide, [x.shape[0] ?? 0, 7, 4]);
  },
  'a mean by a constant factor': (g, x) => g.mul(g.reduceSum(x, [0]), 1 / (x.shape[0] ?? 1)),
  'a factor that grows with the batch': (g, x) => g.mul(x, 3 * (x.shape[0] ?? 1)),
  'a filled constant': (g, x) => g.concat([x, g.full([x.shape[0] ?? 1, 2], -1 / (x.shape[0] ?? 1))], 1),
  'a constant repeated for each image': (g, x) => {
    const [n = 1] = x.shape;
    const token = float32([n, 3], Array.from({ length: n }, () => [5, 6, 7]).flat());
    return g.concat([x, g.constant(token)], 1);
  },
  'a constant repeated for each half of an image': (g, x) => {
    const [n = 1] = x.shape;
    const token = int64([2 * n, 1], Array.from({ length: n }, () => [1, 0]).flat());
    return g.op('GatherElements', [g.reshape(x, [2 * n, 2]), g.constant(token)], { axis: int(1) })[0] ?? x;
  },
  'positions counted along the batch': (g, x) => {
    const [n = 1] = x.shape;
    const places = Array.from({ length: n }, (_, i) => [4 * i + 3, 4 * i]).flat();
    return g.gather(g.reshape(x, [4 * n]), g.constant(int64([n, 2], places)), 0);
  },
};

async function run(graph: Graph, n: number): Promise<Tensor> {
  const session = await compile(graph, { device: 'cpu', threads: 1 });
  const { y } = await session.run({ x: randomTensor([n, 4], 'x') });
  await session.close();
  assert.ok(y);
  return y;
}

describe('a graph for any batch size', () => {
  for (const [name, body] of Object.entries(cases)) {
    it(`computes what the fixed ones do: ${name}`, async () => {
      const made = anyOf(body);
      assert.ok('graph' in made, 'reason' in made ? made.reason : '');
      for (const n of [1, 3, 8]) {
        const ours = await run(made.graph, n);
        const theirs = await run(builder(body)(n), n);
        assert.deepEqual(ours.dims, theirs.dims);
        // onnxruntime makes a division of a product with 1 / N, which rounds otherwise.
        assert.ok(norm(ours.data, theirs.data) <= 1e-6 * norm(theirs.data), `N = ${n}`);
      }
    });
  }

  it('declares the batch by name, and other sizes that follow it as unknown', () => {
    const made = anyOf((g, x) => g.reshape(x, [2 * (x.shape[0] ?? 0), 2]));
    assert.ok('graph' in made);
    assert.deepEqual(made.graph.outputs[0]?.shape, ['', 2]);
    const same = anyOf((g, x) => g.neg(x));
    assert.ok('graph' in same);
    assert.deepEqual(same.graph.outputs[0]?.shape, ['rows', 4]);
  });

  it('needs no computation for a reshape to one size that follows the batch', () => {
    const made = anyOf((g, x) => g.reshape(x, [2 * (x.shape[0] ?? 0), 2]));
    assert.ok('graph' in made);
    assert.deepEqual(
      made.graph.nodes.map(({ op }) => op),
      ['Reshape'],
    );
  });

  it('is refused with the node where graphs of different sizes part', () => {
    const reasonOf = (body: Body): string => {
      const made = anyOf(body);
      return 'reason' in made ? made.reason : 'none';
    };
    assert.match(
      reasonOf((g, x) => g.split(x, 0, Array<number>(x.shape[0] ?? 1).fill(1))[0] ?? x),
      /Split \(inner\/Split_\d+\) has another form at other batch sizes/,
    );
    assert.match(
      reasonOf((g, x) => g.mul(x, Math.sqrt(x.shape[0] ?? 1))),
      /a constant of Mul \(inner\/Mul_\d+\) follows the batch size in an unknown way/,
    );
    assert.match(
      reasonOf((g, x) => ((x.shape[0] ?? 0) % 4 === 1 ? g.neg(g.relu(x)) : g.relu(x))),
      /other nodes at other batch sizes/,
    );
  });
});
