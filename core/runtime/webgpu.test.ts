import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ints } from '../autodiff/attributes.ts';
import { GraphBuilder } from '../autodiff/builder.ts';
import { houseModel, writeModel } from '../onnx/write.ts';
import { readModel } from '../onnx/read.ts';
import { nodesUnknownToWebGpu } from './webgpu.ts';

function pooling(wantsIndices: boolean) {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [1, 1, 4, 4]);
  const [pooled, indices] = g.op('MaxPool', [x], { kernel_shape: ints([2, 2]) }, { outputs: wantsIndices ? 2 : 1 });
  g.output('y', indices ?? pooled ?? assert.fail());
  return g.build('pooling');
}

describe('what WebGPU cannot run', () => {
  it('is a pool that says where its maxima were', () => {
    const names = nodesUnknownToWebGpu(pooling(true));
    assert.equal(names.length, 1);
    assert.deepEqual(nodesUnknownToWebGpu(pooling(false)), []);
  });

  it('is found by the name that the written file gives it', () => {
    const graph = pooling(true);
    const { graph: written } = readModel(writeModel(houseModel(graph)));
    assert.deepEqual(nodesUnknownToWebGpu(written), nodesUnknownToWebGpu(graph));
    assert.notEqual(nodesUnknownToWebGpu(written)[0], '');
  });

  it('is found inside the body of a loop', () => {
    const graph = pooling(false);
    const loop = {
      ...graph,
      nodes: graph.nodes.map((node) => ({
        ...node,
        attributes: { body: { type: 'graph' as const, value: pooling(true) } },
      })),
    };
    assert.deepEqual(nodesUnknownToWebGpu(loop), nodesUnknownToWebGpu(pooling(true)));
  });
});
