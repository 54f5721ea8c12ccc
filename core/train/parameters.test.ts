import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32, int64, type Tensor } from '../base/tensor.ts';
import type { Graph, GraphNode } from '../onnx/graph.ts';
import { houseModel } from '../onnx/write.ts';
import { forDelivery, runningStatistics, trainableParameters, withParameters } from './parameters.ts';

const node = (op: string, inputs: readonly string[], output: string): GraphNode => ({
  name: output,
  domain: '',
  op,
  inputs,
  outputs: [output],
  attributes: {},
});

function graph(nodes: readonly GraphNode[], initializers: Readonly<Record<string, Tensor>>): Graph {
  return {
    name: 'g',
    inputs: [{ name: 'x', dtype: 'float32', shape: ['N', 3, 4, 4] }],
    outputs: [{ name: nodes.at(-1)?.outputs[0] ?? '', dtype: 'float32', shape: ['N', 2] }],
    initializers: new Map(Object.entries(initializers)),
    nodes,
    valueInfo: new Map(),
  };
}

const vector = (length: number): Tensor => float32([length], new Float32Array(length).fill(1));
const matrix = (rows: number, columns: number): Tensor =>
  float32([rows, columns], new Float32Array(rows * columns).fill(1));

const names = (of: Graph): string[] => trainableParameters(of).map(({ name }) => name);

describe('the trainable parameters of a graph', () => {
  it('are weights, biases and scales, not running statistics, shapes or input normalisation', () => {
    const g = graph(
      [
        node('Sub', ['x', 'pixel mean'], 'a'),
        node('Conv', ['a', 'w', 'b'], 'c'),
        node('BatchNormalization', ['c', 'scale', 'shift', 'mean', 'var'], 'd'),
        node('Reshape', ['d', 'shape'], 'e'),
        node('MatMul', ['e', 'm'], 'f'),
        node('Add', ['f', 'bias'], 'y'),
      ],
      {
        'pixel mean': vector(3),
        w: float32([3, 3, 1, 1], new Float32Array(9)),
        b: vector(3),
        scale: vector(3),
        shift: vector(3),
        mean: vector(3),
        var: vector(3),
        shape: int64([2], [0, -1]),
        m: matrix(48, 2),
        bias: vector(2),
      },
    );
    assert.deepEqual(names(g), ['w', 'b', 'scale', 'shift', 'm', 'bias']);
    assert.deepEqual(runningStatistics(g), [{ mean: 'mean', variance: 'var' }]);
  });

  it('are found behind Transpose and Identity, and once when shared', () => {
    const g = graph(
      [
        node('Transpose', ['w'], 'wT'),
        node('Identity', ['wT'], 'wI'),
        node('MatMul', ['x', 'wI'], 'a'),
        node('MatMul', ['a', 'w'], 'y'),
      ],
      { w: matrix(4, 4) },
    );
    assert.deepEqual(names(g), ['w']);
  });

  it('leave out numbers inside formulas and constants before the first layer', () => {
    const g = graph(
      [
        node('Mul', ['x', 'per channel'], 'n'),
        node('MatMul', ['n', 'w'], 'a'),
        node('Mul', ['a', 'half'], 'b'),
        node('Mul', ['b', 'gamma'], 'y'),
      ],
      { 'per channel': vector(4), w: matrix(4, 4), half: float32([], [0.5]), gamma: vector(4) },
    );
    assert.deepEqual(names(g), ['w', 'gamma']);
  });
});

describe('putting weights back', () => {
  const model = houseModel(
    graph([node('MatMul', ['x', 'w'], 'a'), node('Dropout', ['a', 'ratio'], 'b'), node('Relu', ['b'], 'y')], {
      w: matrix(4, 2),
      ratio: float32([], [0.5]),
    }),
  );

  it('replaces initialisers and keeps the symbolic batch', () => {
    const next = withParameters(model, { w: float32([4, 2], new Float32Array(8).fill(7)) });
    assert.equal(next.graph.initializers.get('w')?.data[0], 7);
    assert.equal(model.graph.initializers.get('w')?.data[0], 1);
    assert.deepEqual(next.graph.inputs, model.graph.inputs);
  });

  it('refuses an unknown name and another shape', () => {
    assert.throws(() => withParameters(model, { v: vector(2) }), { code: 'SHAPE_MISMATCH', message: /"v" to exist/ });
    assert.throws(() => withParameters(model, { w: vector(8) }), {
      code: 'SHAPE_MISMATCH',
      message: /got float32\[8\]/,
    });
  });

  it('takes dropout and its ratio out of what is delivered', () => {
    const delivered = forDelivery(model);
    assert.deepEqual(
      delivered.graph.nodes.map(({ op, inputs }) => [op, ...inputs]),
      [
        ['MatMul', 'x', 'w'],
        ['Relu', 'a'],
      ],
    );
    assert.deepEqual([...delivered.graph.initializers.keys()], ['w']);
  });
});
