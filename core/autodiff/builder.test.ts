import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { float32 } from '../base/tensor.ts';
import type { Attribute } from '../onnx/graph.ts';
import { GraphBuilder } from './builder.ts';

const numbers = (data: ArrayLike<number | bigint> | undefined): number[] => Array.from(data ?? [], Number);

describe('the graph builder', () => {
  it('emits equal nodes once', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [2]);
    assert.equal(g.exp(a), g.exp(a));
    assert.equal(g.leakyRelu(a, 0.1), g.leakyRelu(a, 0.1));
    assert.notEqual(g.leakyRelu(a, 0.1), g.leakyRelu(a, 0.2));
    assert.notEqual(g.sub(a, 1), g.sub(1, a));
  });

  it('tells 0 from −0 and numbers of different types', () => {
    const g = new GraphBuilder();
    assert.equal(g.scalar(1), g.scalar(1));
    assert.notEqual(g.scalar(0), g.scalar(-0));
    assert.notEqual(g.scalar(1), g.scalar(1, 'int64'));
    assert.notEqual(g.floats([2], [1, 2]), g.floats([2, 1], [1, 2]));
  });

  it('shares large constants by the identity of their data', () => {
    const g = new GraphBuilder();
    const data = new Float32Array(100);
    assert.equal(g.constant(float32([100], data)), g.constant(float32([100], data)));
    assert.notEqual(g.constant(float32([100], data)), g.constant(float32([100], new Float32Array(100))));
  });

  it('computes what is constant at once', () => {
    const g = new GraphBuilder();
    const six = g.mul(g.scalar(2), 3);
    assert.deepEqual(numbers(six.constant?.data), [6]);
    const shape = g.op('Shape', [g.input('a', 'float32', [4, 5])])[0];
    assert.deepEqual(numbers(shape?.constant?.data), [4, 5]);
  });

  it('folds nothing into a weight, which is an initialiser in the end', () => {
    const g = new GraphBuilder();
    const weight = g.weight(float32([2, 1], [1, 2]), 'w');
    const turned = g.transpose(weight, [1, 0]);
    assert.equal(turned.constant, undefined);
    assert.ok(g.isFixed(turned));
    g.output('y', g.mul(g.input('a', 'float32', [1, 2]), turned));
    const graph = g.build('g');
    assert.deepEqual(numbers(graph.initializers.get('w')?.data), [1, 2]);
    assert.deepEqual(
      graph.inputs.map(({ name }) => name),
      ['a'],
    );
  });

  it('tells nodes apart whose inner graphs differ in a constant only', () => {
    const g = new GraphBuilder();
    const body = (value: number): Attribute => {
      const inner = new GraphBuilder('body_');
      inner.output('y', inner.scalar(value));
      return { type: 'graph', value: inner.build('body') };
    };
    const condition = g.input('condition', 'bool', []);
    const choose = (value: number) =>
      g.op(
        'If',
        [condition],
        { then_branch: body(value), else_branch: body(0) },
        { types: [{ dtype: 'float32', shape: [] }] },
      );
    assert.notEqual(choose(1), choose(2));
  });

  it('takes over a constant of another builder and refuses any other foreign value', () => {
    const [outer, inner] = [new GraphBuilder(), new GraphBuilder('body_')];
    const weight = outer.floats([2], [1, 2]);
    const x = inner.input('x', 'float32', [2]);
    assert.deepEqual(inner.add(x, weight).shape, [2]);
    assert.throws(() => inner.add(x, outer.input('y', 'float32', [2])), /belongs to another graph/);
  });

  it('works out the shapes of broadcasting, products and convolutions', () => {
    const g = new GraphBuilder();
    const image = g.input('image', 'float32', [2, 3, 8, 8]);
    assert.deepEqual(g.add(image, g.input('bias', 'float32', [3, 1, 1])).shape, [2, 3, 8, 8]);
    assert.deepEqual(
      g.conv(image, g.input('w', 'float32', [5, 3, 3, 3]), undefined, { strides: [2, 2] }).shape,
      [2, 5, 3, 3],
    );
    assert.throws(() => g.add(image, g.input('odd', 'float32', [7])), /broadcast/);
  });

  it('leaves out steps that change nothing', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [2, 3]);
    assert.equal(g.reshape(a, [2, 3]), a);
    assert.equal(g.transpose(a, [0, 1]), a);
    assert.equal(g.expand(a, [2, 3]), a);
    assert.equal(g.mul(a, 1), a);
    assert.equal(g.cast(a, 'float32'), a);
    assert.equal(g.pad(a, [0, 0, 0, 0]), a);
    assert.equal(g.sumTo(a, [2, 3]), a);
  });

  it('sums over broadcast axes only', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [4, 2, 3]);
    assert.deepEqual(g.sumTo(a, [3]).shape, [3]);
    assert.deepEqual(g.sumTo(a, [2, 1]).shape, [2, 1]);
    assert.deepEqual(g.sumTo(a, []).shape, []);
  });

  it('lets elementwise operators broadcast instead of expanding before', () => {
    const g = new GraphBuilder();
    const [row, full] = [g.input('row', 'float32', [1, 3]), g.input('full', 'float32', [2, 3])];
    g.output('y', g.mul(full, g.expand(row, [2, 3])));
    const graph = g.build('g');
    assert.deepEqual(
      graph.nodes.map((node) => node.inputs),
      [['full', 'row']],
    );
  });

  it('reduces last axes before the others', () => {
    const g = new GraphBuilder();
    const sum = g.reduceSum(g.input('a', 'float32', [2, 3, 4, 5]), [0, 2, 3]);
    assert.deepEqual(sum.shape, [3]);
    g.output('y', sum);
    assert.deepEqual(
      g.build('g').nodes.map((node) => node.op),
      ['ReduceSum', 'ReduceSum', 'Reshape'],
    );
  });
});

describe('the built graph', () => {
  it('holds only what the outputs need', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [2]);
    g.exp(a);
    g.add(a, g.floats([2], [1, 2]));
    g.output('y', g.sin(a));
    const graph = g.build('g');
    assert.deepEqual(
      graph.nodes.map((node) => node.op),
      ['Sin'],
    );
    assert.equal(graph.initializers.size, 0);
    assert.deepEqual(graph.nodes[0]?.outputs, ['y']);
  });

  it('gives outputs that are one value, an input or a constant names of their own', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [2]);
    const y = g.sin(a);
    for (const [name, value] of [
      ['first', y],
      ['second', y],
      ['input', a],
      ['constant', g.scalar(3)],
    ] as const)
      g.output(name, value);
    const graph = g.build('g');
    assert.deepEqual(
      graph.outputs.map((output) => output.name),
      ['first', 'second', 'input', 'constant'],
    );
    assert.deepEqual(
      graph.nodes.map((node) => node.op),
      ['Sin', 'Identity', 'Identity', 'Identity'],
    );
    const names = graph.nodes.flatMap((node) => [node.name, ...node.outputs]);
    assert.equal(new Set(names).size, names.length);
  });

  it('keeps nodes in an order in which each input is there before', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [2]);
    g.output('y', g.add(g.sin(a), g.mul(g.cos(a), g.exp(a))));
    const known = new Set(['a']);
    for (const node of g.build('g').nodes) {
      for (const input of node.inputs) assert.ok(known.has(input), input);
      for (const output of node.outputs) known.add(output);
    }
  });

  it('shows a symbolic batch where it is asked for', () => {
    const g = new GraphBuilder();
    const a = g.input('a', 'float32', [2, 3], ['N', 3]);
    g.output('y', g.sin(a));
    const graph = g.build('g', (_, shape) => ['N', ...shape.slice(1)]);
    assert.deepEqual(graph.inputs[0]?.shape, ['N', 3]);
    assert.deepEqual(graph.outputs[0]?.shape, ['N', 3]);
  });

  it('prefixes names, so that a body does not clash with its outer graph', () => {
    const g = new GraphBuilder('body_');
    g.output('y', g.add(g.sin(g.input('a', 'float32', [2])), 5));
    const graph = g.build('g');
    for (const node of graph.nodes) assert.match(node.name, /^body_/);
    for (const name of graph.initializers.keys()) assert.match(name, /^body_/);
  });

  it('drops absent inputs at the end of a node', () => {
    const g = new GraphBuilder();
    g.output('y', g.clip(g.input('a', 'float32', [2]), 0));
    assert.equal(g.build('g').nodes[0]?.inputs.length, 2);
  });
});
