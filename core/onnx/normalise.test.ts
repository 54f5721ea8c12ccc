import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GraphNode, OnnxModel } from './graph.ts';
import { normalise } from './normalise.ts';
import { attributesOf, type PlainAttributes } from './testing/one-node.ts';
import { houseModel } from './write.ts';

const node = (op: string, inputs: string[], outputs: string[], attributes: PlainAttributes = {}): GraphNode => ({
  name: `${op}_0`,
  domain: '',
  op,
  inputs,
  outputs,
  attributes: attributesOf(attributes),
});

function modelOf(opset: number, nodes: readonly GraphNode[], output = 'y'): OnnxModel {
  const inputs = ['x', 'a', 'b', 'c', 'd'].map((name) => ({ name, dtype: 'float32', shape: undefined }) as const);
  const outputs = [{ name: output, dtype: 'float32', shape: undefined } as const];
  return {
    ...houseModel({ name: 'test', inputs, outputs, nodes, initializers: new Map(), valueInfo: new Map() }),
    opset,
  };
}

describe('normalise', () => {
  it('leaves a model of the house operator set as it is', () => {
    const model = modelOf(21, [node('Relu', ['x'], ['y'])]);
    assert.deepEqual(normalise(model), model);
  });

  it('refuses operator sets that it does not know', () => {
    for (const opset of [6, 29]) {
      assert.throws(() => normalise(modelOf(opset, [])), {
        code: 'OP_UNSUPPORTED',
        message: new RegExp(`7 to 28, got ${opset}`),
      });
    }
  });

  it('names all nodes that it cannot lift at once', () => {
    const attention = node('Attention', ['x', 'a', 'b', '', 'c', 'd'], ['h']);
    const nodes = [attention, node('TensorScatter', ['h', 'c'], ['y'])];
    assert.throws(() => normalise(modelOf(24, nodes)), {
      code: 'OP_UNSUPPORTED',
      message: /2 nodes .*cache of past keys at Attention_0; TensorScatter \(opset 24\) at TensorScatter_0/,
    });
  });

  it('refuses what cannot be said in the house operator set', () => {
    const statistics = ['x', 'a', 'b', 'c', 'd'];
    const refused: readonly (readonly [number, readonly GraphNode[], RegExp])[] = [
      [
        7,
        [node('BatchNormalization', statistics, ['y', 'm'], { spatial: 0 }), node('Neg', ['m'], ['n'])],
        /spatial = 0/,
      ],
      [
        9,
        [node('BatchNormalization', statistics, ['h', 'm', 'v', 's']), node('Add', ['h', 's'], ['y'])],
        /saved statistics/,
      ],
      [9, [node('Dropout', ['x'], ['h', 'm']), node('Where', ['m', 'h', 'x'], ['y'])], /mask is used/],
    ];
    for (const [opset, nodes, message] of refused) {
      assert.throws(() => normalise(modelOf(opset, nodes)), { code: 'OP_UNSUPPORTED', message });
    }
  });

  it('writes out the padding of a dilated Conv that says SAME', () => {
    const attributes = { kernel_shape: [4, 3], dilations: [1, 2] };
    for (const [automatic, pads] of [
      ['SAME_UPPER', [1, 2, 2, 2]],
      ['SAME_LOWER', [2, 2, 1, 2]],
    ] as const) {
      const [conv] = normalise(modelOf(17, [node('Conv', ['x', 'a'], ['y'], { ...attributes, auto_pad: automatic })]))
        .graph.nodes;
      assert.deepEqual(conv?.attributes['pads']?.value, pads);
      assert.equal(conv.attributes['auto_pad'], undefined);
    }
    const strided = node('Conv', ['x', 'a'], ['y'], { ...attributes, auto_pad: 'SAME_UPPER', strides: [2, 2] });
    assert.throws(() => normalise(modelOf(17, [strided])), { code: 'OP_UNSUPPORTED', message: /dilations, auto_pad/ });
  });

  it('keeps Dropout for whoever trains, without the mode of the file', () => {
    const lifted = normalise(modelOf(10, [node('Dropout', ['x'], ['y', 'unused'], { ratio: { float: 0.25 } })]));
    const [dropout] = lifted.graph.nodes;
    assert.deepEqual([dropout?.op, dropout?.outputs, dropout?.inputs.length], ['Dropout', ['y'], 2]);
    assert.deepEqual(lifted.graph.initializers.get(dropout?.inputs[1] ?? '')?.data, Float32Array.of(0.25));
  });

  it('lifts the nodes of subgraphs and gives them names of their own', () => {
    const inner = { ...modelOf(11, [node('Squeeze', ['x'], ['y'], { axes: [0] })]).graph, inputs: [] };
    const branch: GraphNode = {
      ...node('If', ['a'], ['z']),
      attributes: { then_branch: { type: 'graph', value: inner } },
    };
    const outer = node('Squeeze', ['x'], ['y'], { axes: [0] });
    const lifted = normalise(modelOf(11, [outer, branch])).graph;
    const attribute = lifted.nodes[1]?.attributes['then_branch'];
    assert.ok(attribute?.type === 'graph');
    const names = [...lifted.initializers.keys(), ...attribute.value.initializers.keys()];
    assert.equal(new Set(names).size, 2);
    assert.equal(attribute.value.nodes[0]?.inputs.length, 2);
  });
});
