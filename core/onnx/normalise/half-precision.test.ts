import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32, tensor, type DType } from '../../base/tensor.ts';
import { cutAtLogits, describeClassifier } from '../classifier.ts';
import type { Graph, GraphNode } from '../graph.ts';
import { normalise } from '../normalise.ts';
import { plainNode } from '../testing/one-node.ts';
import { houseModel } from '../write.ts';
import { usesHalf, widenHalf } from './half-precision.ts';

const half = 10;
const single = 1;

/** 1, −2, 65504, the smallest number above zero, 1/3 as near as eleven bits come. */
const bits = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x3555);
const numbers = [1, -2, 65504, 2 ** -24, 0.333251953125];

function classifier(dtype: DType, nodes: readonly GraphNode[]): Graph {
  return {
    name: 'half',
    inputs: [{ name: 'x', dtype, shape: ['batch', 1, 1, 1] }],
    outputs: [{ name: 'logits', dtype, shape: ['batch', 5] }],
    initializers: new Map([['w', tensor('float16', [1, 5], bits)]]),
    nodes,
    valueInfo: new Map([['flat', { name: 'flat', dtype, shape: ['batch', 1] }]]),
  };
}

const whole = classifier('float16', [
  plainNode('Flatten', ['x'], 'flat'),
  plainNode('MatMul', ['flat', 'w'], 'logits'),
]);
const stored = classifier('float32', [
  plainNode('Cast', ['w'], 'wide', { to: single }),
  plainNode('Flatten', ['x'], 'flat'),
  plainNode('MatMul', ['flat', 'wide'], 'logits'),
]);

describe('a graph in half precision', () => {
  for (const [kind, graph] of Object.entries({ 'in all of it': whole, 'in its weights only': stored })) {
    it(`${kind} becomes a classifier in single precision with the numbers that it had`, () => {
      const model = normalise(houseModel(graph));
      assert.equal(usesHalf(model.graph), false);
      assert.deepEqual(model.graph.initializers.get('w'), float32([1, 5], numbers));
      const { parameters, templates, input } = describeClassifier(houseModel(graph));
      assert.deepEqual(parameters, [{ name: 'w', dims: [1, 5], dtype: 'float32' }]);
      assert.equal(templates?.valueName, 'w');
      assert.equal(input.name, 'x');
      assert.deepEqual(
        cutAtLogits(houseModel(graph)).nodes.map(({ op }) => op),
        ['Flatten', 'MatMul'],
      );
    });
  }

  it('has its casts and constants made single, in the graphs inside nodes too', () => {
    const inner: Graph = { ...whole, inputs: [], nodes: [plainNode('Cast', ['flat'], 'logits', { to: half })] };
    const fill = plainNode('ConstantOfShape', ['shape'], 'fill', {
      value: tensor('float16', [1], Uint16Array.of(0xbc00)),
    });
    const choice: GraphNode = {
      ...plainNode('If', ['c'], 'y'),
      attributes: { then_branch: { type: 'graph', value: inner } },
    };
    const { nodes } = widenHalf({ ...stored, nodes: [fill, choice] });
    assert.deepEqual(nodes[0]?.attributes['value'], { type: 'tensor', value: float32([1], [-1]) });
    const branch = nodes[1]?.attributes['then_branch'];
    assert.ok(branch?.type === 'graph');
    assert.deepEqual(branch.value.nodes[0]?.attributes['to'], { type: 'int', value: single });
  });

  it('keeps a cast of a weight that is an output', () => {
    const { nodes } = widenHalf({ ...stored, outputs: [{ name: 'wide', dtype: 'float32', shape: [1, 5] }] });
    assert.equal(nodes.filter(({ op }) => op === 'Cast').length, 1);
  });

  it('reads infinities and numbers that are none', () => {
    const special = tensor('float16', [3], Uint16Array.of(0x7c00, 0xfc00, 0x7e00));
    const { initializers } = widenHalf({ ...whole, initializers: new Map([['w', special]]) });
    assert.deepEqual(initializers.get('w'), float32([3], [Infinity, -Infinity, Number.NaN]));
  });
});

it('a graph without half precision stays the same object', () => {
  const graph = { ...whole, inputs: [], outputs: [], initializers: new Map() };
  assert.equal(widenHalf(graph), graph);
});
