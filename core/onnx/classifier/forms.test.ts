import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { int64 } from '../../base/tensor.ts';
import { cutAtLogits, describeClassifier } from '../classifier.ts';
import type { Graph, GraphNode, ValueInfo } from '../graph.ts';
import { wave } from '../testing/one-node.ts';
import { modelOf, type Step } from '../testing/plan.ts';
import { withImageSize } from './image-size.ts';

/** [N, C, …] → [N, K]: the mean over places, then a matrix. */
const head = (from: string): readonly Step[] => [
  ['GlobalAveragePool', [from], 'pooled'],
  ['Flatten', ['pooled'], 'features'],
  ['MatMul', ['features', 'w'], 'logits'],
];
const patches: Step = ['Conv', ['x', 'k'], 'patches', { strides: [8, 8] }];

describe('a file that leaves sizes open', () => {
  const open = ['N', 'channels', 'height', 'width'] as const;

  it('is taken at the one usual size that its position embedding fits', () => {
    const tokens: readonly Step[] = [
      patches,
      ['Reshape', ['patches', 'tokens'], 't'],
      ['Add', ['t', 'positions'], 'placed'],
      ...head('placed'),
    ];
    const weights = {
      k: wave([4, 3, 8, 8]),
      tokens: int64([3], [0, 4, -1]),
      positions: wave([1, 4, 16]),
      w: wave([4, 5]),
    };
    const { input } = describeClassifier(modelOf({ input: open, steps: tokens, weights }));
    assert.deepEqual([input.channels, input.height, input.width], [3, 32, 32]);
  });

  it('is asked about where several sizes fit, and taken as it is said', () => {
    const model = modelOf({
      input: open,
      steps: [patches, ...head('patches')],
      weights: { k: wave([4, 3, 8, 8]), w: wave([4, 5]) },
    });
    assert.throws(() => describeClassifier(model), { code: 'MODEL_UNSUITABLE', message: /say which size/ });
    const { input } = describeClassifier(withImageSize(model, { channels: 3, height: 40, width: 48 }));
    assert.deepEqual([input.channels, input.height, input.width], [3, 40, 48]);
  });
});

describe('a file of rows of pixels', () => {
  it('is an image classifier of square images', () => {
    const model = modelOf({
      input: ['N', 16],
      steps: [['MatMul', ['x', 'w'], 'logits']],
      weights: { w: wave([16, 5]) },
    });
    const { input } = describeClassifier(model);
    assert.deepEqual([input.layout, input.channels, input.height, input.width], ['rows', 1, 4, 4]);
    const graph = cutAtLogits(model);
    assert.deepEqual(graph.inputs[0]?.shape, ['batch', 1, 4, 4]);
    assert.deepEqual(
      graph.nodes.map(({ op }) => op),
      ['Flatten', 'MatMul'],
    );
  });
});

describe('a branch whose condition is a question about shapes', () => {
  const branch = (name: string, ...nodes: readonly GraphNode[]): Graph => ({
    name,
    inputs: [],
    outputs: [{ name: 'out', dtype: 'float32', shape: undefined }],
    initializers: new Map([['bias', wave([1, 5], 1)]]),
    nodes,
    valueInfo: new Map(),
  });
  const plain = (op: string, inputs: readonly string[], output: string): GraphNode => ({
    name: `${op}_${output}`,
    domain: '',
    op,
    inputs,
    outputs: [output],
    attributes: {},
  });
  const choice = (then: Graph, otherwise: Graph): GraphNode => ({
    ...plain('If', ['asked'], 'logits'),
    attributes: { then_branch: { type: 'graph', value: then }, else_branch: { type: 'graph', value: otherwise } },
  });

  it('is taken, under names of its own', () => {
    const made = modelOf({
      steps: [
        ['Flatten', ['x'], 'f'],
        ['MatMul', ['f', 'w'], 'm'],
        ['Shape', ['m'], 's'],
        ['Gather', ['s', 'one'], 'classes'],
        ['Equal', ['classes', 'five'], 'asked'],
      ],
      weights: { w: wave([6, 5]), one: int64([], [1]), five: int64([], [5]) },
    });
    const node = choice(
      branch('then', plain('Add', ['m', 'bias'], 'sum'), plain('Identity', ['sum'], 'out')),
      branch('else', plain('NonZero', ['m'], 'out')),
    );
    const output: ValueInfo = { name: 'logits', dtype: 'float32', shape: undefined };
    const model = { ...made, graph: { ...made.graph, nodes: [...made.graph.nodes, node], outputs: [output] } };
    const { nodes, initializers } = cutAtLogits(model);
    assert.deepEqual(
      nodes.map(({ op }) => op),
      ['Flatten', 'MatMul', 'Add', 'Identity', 'Identity'],
    );
    assert.ok(initializers.has('If_logits/bias'));
  });
});
