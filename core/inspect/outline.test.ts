import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { describe, it } from 'node:test';
import type { OnnxModel } from '../onnx/graph.ts';
import { loadModel } from '../onnx/read.ts';
import { inspectModel } from './inspect.ts';
import type { Inspection, OutlineBlock } from './inspection.ts';
import { nameStages } from './outline-names.ts';
import { tinyModel, tinyNetwork } from './testing/tiny-models.ts';

const inspected = (model: OnnxModel): Inspection =>
  inspectModel(model, {
    file: { path: 'a.onnx', sizeBytes: 1, sha256: '', hasExternalData: false, weights: {} },
    settings: [],
    speed: undefined,
  });

const outline = (model: OnnxModel): readonly OutlineBlock[] => inspected(model).classifier?.outline ?? [];

describe('the outline of a network', () => {
  it('tells every layer with what follows it, its output, parameters and operations', () => {
    for (const batch of [undefined, 2]) {
      assert.deepEqual(outline(tinyNetwork(batch)), [
        {
          stage: 'conv',
          name: '',
          operators: ['Conv 3 × 3', 'Relu', 'MaxPool 2 × 2', 'Flatten'],
          shape: ['N', 27],
          parameters: 3 * 9 + 3,
          flops: 2 * 3 * 36 * 9 + 3 * 36 + 3 * 36,
        },
        { stage: 'fc', name: '', operators: ['Gemm'], shape: ['N', 4], parameters: 4 * 27 + 4, flops: 2 * 27 * 4 },
      ]);
    }
  });

  it('begins anew where branches meet, and counts what two layers share once', () => {
    const model = tinyModel([1, 6, 6], (g, x, parameter) => {
      const weight = parameter('shared.weight', [1, 1, 3, 3]);
      const stem = g.conv(x, weight, undefined, { pads: [1, 1, 1, 1], strides: [1, 1] });
      const body = g.conv(g.relu(stem), weight, undefined, { pads: [1, 1, 1, 1] });
      const swish = g.mul(body, g.sigmoid(body));
      const sum = g.relu(g.add(stem, swish));
      return g.gemm(g.flatten(sum), parameter('fc.weight', [36, 4]));
    });
    assert.deepEqual(
      outline(model).map(({ operators, parameters }) => [operators.join(' '), parameters]),
      [
        ['Conv 3 × 3 Relu', 9],
        ['Conv 3 × 3 Sigmoid Mul', 0],
        ['Add Relu Flatten', 0],
        ['Gemm', 144],
      ],
    );
  });

  it('adds up to the parameters and nearly to the operations of a network that timm made', async () => {
    const path = fileURLToPath(new URL('testdata/test_efficientnet.onnx', import.meta.url));
    const { classifier, cost } = inspected(await loadModel(path));
    const blocks = classifier?.outline ?? [];
    const sum = (of: (block: OutlineBlock) => number): number => blocks.reduce((total, block) => total + of(block), 0);
    assert.equal(
      sum(({ parameters }) => parameters),
      classifier?.parameters.count,
    );
    const flops = sum(({ flops: each }) => each);
    assert.ok(cost && Math.abs(flops / cost.forwardFlops - 1) < 0.02, `${flops} of ${cost?.forwardFlops}`);
    assert.deepEqual(
      [...new Set(blocks.map(({ stage }) => stage))],
      ['conv_stem', 'blocks.0', 'blocks.1', 'blocks.2', 'blocks.3', 'blocks.4', 'conv_head', 'classifier'],
    );
    assert.ok(blocks.some(({ operators }) => operators.includes('Conv 3 × 3, stride 2, depthwise')));
  });
});

describe('the stages of a network', () => {
  const of = (blocks: readonly (readonly [string, ...string[]])[]): readonly (readonly [string, string])[] =>
    nameStages(blocks.map(([node, ...parameters]) => ({ node, parameters }))).map(({ stage, name }) => [stage, name]);

  it('come from parameters, else from the scope of the node, else from the block before', () => {
    const blocks = [
      ['n0', 'net.conv1.weight'],
      ['/net/layer1/net.layer1.0/conv1/Conv', 'onnx::Conv_12', 'net.layer1.0.conv1.bias'],
      ['/layer1/net.layer1.0/Add'],
      ['node_add_7'],
      ['n9', 'net.fc.weight'],
    ] as const;
    assert.deepEqual(of(blocks), [
      ['conv1', ''],
      ['layer1', '0.conv1'],
      ['layer1', '0'],
      ['layer1', ''],
      ['fc', ''],
    ]);
  });

  it('are split where one would hold more than can be read', () => {
    const blocks = Array.from({ length: 14 }, (_, i) => ['', `body.${i >> 1}.conv${i % 2}.weight`] as const);
    assert.deepEqual(of([...blocks, ['', 'head.weight']]).slice(0, 3), [
      ['body.0', 'conv0'],
      ['body.0', 'conv1'],
      ['body.1', 'conv0'],
    ]);
  });

  it('are none where names say nothing', () => {
    assert.deepEqual(of([['node_1', 'onnx::Conv_1'], ['node_2']]), [
      ['', ''],
      ['', ''],
    ]);
  });
});
