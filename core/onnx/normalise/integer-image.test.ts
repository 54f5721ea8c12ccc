import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32 } from '../../base/tensor.ts';
import { describeClassifier } from '../classifier.ts';
import type { Graph, GraphNode, OnnxModel } from '../graph.ts';
import { plainNode } from '../testing/one-node.ts';
import { houseModel } from '../write.ts';

/** A linear classifier of 2 × 2 × 3 images of bytes, channels last. */
function model(first: readonly GraphNode[]): OnnxModel {
  const graph: Graph = {
    name: 'bytes',
    inputs: [{ name: 'image', dtype: 'uint8', shape: ['n', 2, 2, 3] }],
    outputs: [{ name: 'scores', dtype: 'float32', shape: ['n', 4] }],
    initializers: new Map([['w', float32([12, 4], new Float32Array(48).fill(0.5))]]),
    nodes: [...first, plainNode('Flatten', ['real'], 'flat'), plainNode('MatMul', ['flat', 'w'], 'scores')],
    valueInfo: new Map([['turned', { name: 'turned', dtype: 'uint8', shape: ['n', 3, 2, 2] }]]),
  };
  return houseModel(graph);
}

describe('a model whose image is of whole numbers', () => {
  it('is a classifier of real images where a Cast comes first, also after a Transpose', () => {
    const turned = [
      plainNode('Transpose', ['image'], 'turned', { perm: [0, 3, 1, 2] }),
      plainNode('Cast', ['turned'], 'real', { to: 1 }),
    ];
    const { input, classCount } = describeClassifier(model(turned));
    assert.deepEqual([input.layout, input.channels, input.height, input.width, classCount], ['nhwc', 3, 2, 2, 4]);
    assert.equal(describeClassifier(model([plainNode('Cast', ['image'], 'real', { to: 1 })])).classCount, 4);
  });

  it('is refused where the whole numbers are computed with', () => {
    const doubled = [plainNode('Add', ['image', 'image'], 'sum'), plainNode('Cast', ['sum'], 'real', { to: 1 })];
    assert.throws(() => describeClassifier(model(doubled)), /expected an image input, float32 .* got image uint8/);
  });
});
