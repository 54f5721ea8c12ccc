import { fromBinary } from '@bufbuild/protobuf';
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { float32, int64, sizeOf } from '../base/tensor.ts';
import { ModelProtoSchema } from './proto/onnx_pb.generated.ts';
import { checkFinite, loadModel, readModel } from './read.ts';
import { bytesOf, relu, typed, withTensor } from './testing/model-bytes.ts';

const teacher = join(import.meta.dirname, 'testdata/lenet5-half-mnist.onnx');

const only = (tensor: Parameters<typeof withTensor>[0]) => readModel(withTensor(tensor)).graph.initializers.get('w');

describe('the tensors of a model', () => {
  it('are read from raw bytes and from each typed field', () => {
    assert.deepEqual(
      only({ dims: [2n], dataType: 1, rawData: new Uint8Array(Float32Array.of(1, -2).buffer) }),
      float32([2], [1, -2]),
    );
    assert.deepEqual(only({ dims: [2n], dataType: 1, floatData: [1, -2] }), float32([2], [1, -2]));
    assert.deepEqual(only({ dims: [1n], dataType: 7, int64Data: [-5n] }), int64([1], [-5]));
    assert.deepEqual(only({ dims: [], dataType: 11, doubleData: [0.1] })?.data, Float64Array.of(0.1));
    assert.deepEqual(
      only({ dims: [1n], dataType: 12, uint64Data: [4_000_000_000n] })?.data,
      Uint32Array.of(4_000_000_000),
    );
    assert.deepEqual(only({ dims: [2n], dataType: 3, int32Data: [-1, 5] })?.data, Int8Array.of(-1, 5));
    assert.deepEqual(only({ dims: [2n], dataType: 9, int32Data: [1, 0] })?.data, Uint8Array.of(1, 0));
    assert.deepEqual(only({ dims: [1n], dataType: 10, int32Data: [0x3c00] }), {
      dtype: 'float16',
      dims: [1],
      data: Uint16Array.of(0x3c00),
    });
    assert.deepEqual(only({ dims: [0n], dataType: 1 }), float32([0], []));
  });

  it('are complained of by name when they are not finite', () => {
    const bad = readModel(withTensor({ dims: [3n], dataType: 1, floatData: [1, Number.NaN, 2] }));
    assert.throws(() => checkFinite(bad), { code: 'MODEL_NOT_FINITE', message: /infinity in w$/ });
    for (const wrong of [Number.NaN, -Infinity]) {
      const doubles = readModel(withTensor({ dims: [3n], dataType: 11, doubleData: [1, 2, wrong] }));
      assert.throws(() => checkFinite(doubles), { code: 'MODEL_NOT_FINITE' });
    }
    const largest = [Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE];
    checkFinite(readModel(withTensor({ dims: [3n], dataType: 11, doubleData: largest })));
    checkFinite(readModel(withTensor({ dims: [3n], dataType: 1, floatData: [3.4028234e38, -0, 1e-45] })));
    const half = readModel(withTensor({ dims: [2n], dataType: 10, int32Data: [0x7c00, 0x3c00] }));
    assert.throws(() => checkFinite(half), { code: 'MODEL_NOT_FINITE' });
    checkFinite(readModel(withTensor({ dims: [2n], dataType: 10, int32Data: [0x7bff, 0x3c00] })));
  });

  it('may be masks and paddings, which hold zeros and −infinity alone', () => {
    const rising = readModel(withTensor({ dims: [3n], dataType: 1, floatData: [0, Infinity, 0] }));
    assert.throws(() => checkFinite(rising), { code: 'MODEL_NOT_FINITE' });
    checkFinite(readModel(withTensor({ dims: [3n], dataType: 1, floatData: [0, -Infinity, 0] })));
    checkFinite(readModel(withTensor({ dims: [2n], dataType: 10, int32Data: [0xfc00, 0x8000] })));
    for (const bits of [0x7c00, 0x7e00, 0xfc01]) {
      const half = readModel(withTensor({ dims: [1n], dataType: 10, int32Data: [bits] }));
      assert.throws(() => checkFinite(half), { code: 'MODEL_NOT_FINITE' });
    }
  });

  it('of types that are not covered do no harm where nothing wanted needs them', () => {
    const graph = {
      output: [typed('y'), typed('label', 8)],
      node: [relu, { opType: 'Gather', input: ['names', 'x'], output: ['label'] }],
      initializer: [{ name: 'names', dims: [1n], dataType: 8, stringData: [new Uint8Array(1)] }],
    };
    const model = readModel(bytesOf(graph));
    assert.deepEqual(
      [model.graph.outputs.map(({ name }) => name), model.graph.nodes.map(({ op }) => op)],
      [['y'], ['Relu']],
    );
  });
});

describe('the graph of a model', () => {
  it('is read whole: inputs, outputs, weights, metadata', async () => {
    const model = await loadModel(teacher);
    assert.equal(model.opset, 20);
    assert.match(model.producer, /^pytorch/);
    assert.deepEqual(model.graph.inputs, [{ name: 'input', dtype: 'float32', shape: ['batch', 1, 28, 28] }]);
    assert.deepEqual(model.graph.outputs, [{ name: 'logits', dtype: 'float32', shape: ['batch', 10] }]);
    assert.deepEqual(model.graph.initializers.get('fc3.weight')?.dims, [10, 42]);
    const floats = [...model.graph.initializers.values()].filter(({ dtype }) => dtype === 'float32');
    assert.equal(
      floats.reduce((sum, { dims }) => sum + sizeOf(dims), 0),
      15_738,
    );
    checkFinite(model);
  });

  it('has its nodes in order even where the file has not', () => {
    const nodes = [
      { ...relu, input: ['h'] },
      { opType: 'Exp', input: ['x'], output: ['h'], name: 'e' },
    ];
    assert.deepEqual(
      readModel(bytesOf({ node: nodes })).graph.nodes.map(({ op }) => op),
      ['Exp', 'Relu'],
    );
  });

  it('does not take initialisers for inputs', () => {
    const graph = {
      input: [typed('x'), typed('w')],
      node: [{ opType: 'Add', input: ['x', 'w'], output: ['y'] }],
      initializer: [{ name: 'w', dims: [1n], dataType: 1, floatData: [1] }],
    };
    assert.deepEqual(
      readModel(bytesOf(graph)).graph.inputs.map(({ name }) => name),
      ['x'],
    );
  });

  it('has initialisers in place of constants and of copies of initialisers', () => {
    const graph = {
      node: [
        { opType: 'Constant', output: ['c'], attribute: [{ name: 'value_floats', type: 6, floats: [1, 2] }] },
        { opType: 'Identity', input: ['c'], output: ['d'] },
        { opType: 'Add', input: ['x', 'd'], output: ['y'] },
      ],
    };
    const { nodes, initializers } = readModel(bytesOf(graph)).graph;
    assert.deepEqual(
      nodes.map(({ op }) => op),
      ['Add'],
    );
    assert.deepEqual(initializers.get('d'), float32([2], [1, 2]));
  });

  it('keeps names of dimensions and takes −1 for a free one', () => {
    const dim = (value: number) => ({ value: { case: 'dimValue' as const, value: BigInt(value) } });
    const shape = { dim: [{ value: { case: 'dimParam' as const, value: 'N' } }, dim(-1), dim(3), {}] };
    const input = { name: 'x', type: { value: { case: 'tensorType' as const, value: { elemType: 1, shape } } } };
    assert.deepEqual(readModel(bytesOf({ input: [input] })).graph.inputs[0]?.shape, ['N', '', 3, '']);
  });

  it('tells attributes of old files by the field that is filled', () => {
    const attribute = [
      { name: 'axes', ints: [2n, -1n] },
      { name: 'keepdims', i: 1n },
      { name: 'mode', s: new TextEncoder().encode('edge') },
    ];
    const { attributes } = readModel(bytesOf({ node: [{ ...relu, attribute }] })).graph.nodes[0] ?? {};
    assert.deepEqual(attributes, {
      axes: { type: 'ints', value: [2, -1] },
      keepdims: { type: 'int', value: 1 },
      mode: { type: 'string', value: 'edge' },
    });
  });

  it('has the bodies of its functions in place of the calls', () => {
    const scaled = {
      name: 'Scaled',
      domain: 'local',
      input: ['a', 'b'],
      output: ['r'],
      attribute: ['slope'],
      node: [
        {
          opType: 'LeakyRelu',
          input: ['a'],
          output: ['h'],
          attribute: [{ name: 'alpha', refAttrName: 'slope', type: 1 }],
        },
        { opType: 'Sum', input: ['h', 'b'], output: ['r'] },
      ],
    };
    const twice = {
      name: 'Twice',
      domain: 'local',
      input: ['a'],
      output: ['r'],
      node: [
        {
          opType: 'Scaled',
          domain: 'local',
          input: ['a'],
          output: ['h'],
          attribute: [{ name: 'slope', type: 1, f: 0.5 }],
        },
        { opType: 'Scaled', domain: 'local', input: ['h', 'a'], output: ['r'] },
      ],
    };
    const call = { opType: 'Twice', domain: 'local', input: ['x'], output: ['y'], name: 'call' };
    const { nodes } = readModel(bytesOf({ node: [call] }, { functions: [scaled, twice] })).graph;
    assert.deepEqual(
      nodes.map(({ op }) => op),
      ['LeakyRelu', 'Sum', 'LeakyRelu', 'Sum'],
    );
    assert.deepEqual(nodes[0]?.attributes, { alpha: { type: 'float', value: 0.5 } });
    assert.deepEqual(nodes[2]?.attributes, {});
    assert.deepEqual(
      [nodes[0]?.inputs, nodes[1]?.inputs[1], nodes[3]?.inputs[1], nodes[3]?.outputs],
      [['x'], '', 'x', ['y']],
    );
  });

  it('knows what its subgraphs take from outside', () => {
    const branch = { name: 'b', output: [typed('r')], node: [{ opType: 'Neg', input: ['h'], output: ['r'] }] };
    const node = [
      {
        opType: 'If',
        input: ['x'],
        output: ['y'],
        attribute: [
          { name: 'then_branch', type: 5, g: branch },
          { name: 'else_branch', type: 5, g: branch },
        ],
      },
      { opType: 'Exp', input: ['x'], output: ['h'] },
    ];
    assert.deepEqual(
      readModel(bytesOf({ node })).graph.nodes.map(({ op }) => op),
      ['Exp', 'If'],
    );
    const lost = { ...branch, node: [{ opType: 'Neg', input: ['gone'], output: ['r'] }] };
    const bad = bytesOf({
      node: [{ opType: 'If', input: ['x'], output: ['y'], attribute: [{ name: 'then_branch', type: 5, g: lost }] }],
    });
    assert.throws(() => readModel(bad), { code: 'MODEL_UNREADABLE', message: /no source for gone/ });
  });

  it('survives parts that this version does not know', () => {
    const bytes = Buffer.concat([bytesOf(), Uint8Array.of(0xfa, 0x3f, 3, 1, 2, 3)]);
    assert.equal(fromBinary(ModelProtoSchema, bytes).$unknown?.length, 1);
    assert.equal(readModel(bytes).graph.nodes.length, 1);
  });
});
