import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { bytesPerElement, dtypes, float32, int64, sizeOf, type Tensor, tensor, viewBytes } from '../base/tensor.ts';
import type { Attribute, Graph } from './graph.ts';
import { type ModelProto, ModelProtoSchema } from './proto/onnx_pb.generated.ts';
import { loadModel, readModel } from './read.ts';
import { houseModel, modelPieces, splitModel, writeModel } from './write.ts';

const inner: Graph = {
  name: 'inner',
  inputs: [{ name: 'i', dtype: 'int64', shape: [] }],
  outputs: [{ name: 'o', dtype: 'int64', shape: [] }],
  initializers: new Map([['k', int64([], [3])]]),
  nodes: [{ name: 'n', domain: '', op: 'Add', inputs: ['i', 'k'], outputs: ['o'], attributes: {} }],
  valueInfo: new Map(),
};

const attributes: Readonly<Record<string, Attribute>> = {
  a: { type: 'int', value: -7 },
  b: { type: 'float', value: Math.fround(0.1) },
  c: { type: 'string', value: 'größer' },
  d: { type: 'ints', value: [1, 2 ** 40, -1] },
  e: { type: 'floats', value: [0.5, -2] },
  f: { type: 'strings', value: ['x', ''] },
  g: { type: 'tensor', value: float32([1, 2], [3, 4]) },
  body: { type: 'graph', value: inner },
  num_scan_inputs: { type: 'int', value: 1 },
};

function graphWith(initializers: ReadonlyMap<string, Tensor>): Graph {
  const node = {
    name: 'n',
    domain: '',
    op: 'Scan',
    inputs: ['x', '', ...initializers.keys()],
    outputs: ['y', 'z'],
    attributes,
  };
  return {
    name: 'outer',
    inputs: [{ name: 'x', dtype: 'float32', shape: ['batch', 3, ''] }],
    outputs: [{ name: 'y', dtype: 'bool', shape: undefined }],
    initializers,
    nodes: [node],
    valueInfo: new Map([['z', { name: 'z', dtype: 'float64', shape: [] }]]),
  };
}

describe('writing a model', () => {
  it('loses nothing: reading gives the same model', () => {
    const weights = new Map(
      dtypes.map((dtype) => [
        `w_${dtype}`,
        tensor(dtype, [2, 3], viewBytes(dtype, new Uint8Array(6 * bytesPerElement(dtype)).fill(1))),
      ]),
    );
    const model = {
      ...houseModel(graphWith(weights), { task: 'digits', author: 'test' }),
      otherOpsets: { 'some.domain': 2 },
    };
    assert.deepEqual(readModel(writeModel(model)), model);
  });

  it('keeps tensors of any shape and content bit for bit', () => {
    const shapes = fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 });
    const tensors = shapes.chain((dims) => {
      const length = sizeOf(dims);
      return fc
        .float32Array({ minLength: length, maxLength: length })
        .map((data) => tensor('float32', dims, Float32Array.from(data)));
    });
    fc.assert(
      fc.property(tensors, (weight) => {
        const read = readModel(writeModel(houseModel(graphWith(new Map([['w', weight]]))))).graph.initializers.get('w');
        assert.deepEqual(read, weight);
      }),
      { numRuns: 50 },
    );
  });

  it('gives the same bytes whatever the order of attributes and metadata', () => {
    const graph = graphWith(new Map());
    const turned = {
      ...graph,
      nodes: graph.nodes.map((node) => ({
        ...node,
        attributes: Object.fromEntries(Object.entries(attributes).toReversed()),
      })),
    };
    assert.deepEqual(
      writeModel(houseModel(graph, { a: '1', b: '2' })),
      writeModel(houseModel(turned, { b: '2', a: '1' })),
    );
  });

  it('clamps ends of the 64-bit range, which numbers cannot hold', () => {
    const graph = graphWith(new Map());
    const node = {
      ...graph.nodes[0]!,
      op: 'Op',
      attributes: { ends: { type: 'ints', value: [2 ** 63, -(2 ** 64)] } as const },
    };
    const read = readModel(writeModel(houseModel({ ...graph, nodes: [node] })));
    assert.deepEqual(read.graph.nodes[0]?.attributes['ends'], { type: 'ints', value: [2 ** 63, -(2 ** 63)] });
  });

  it('brings a file of another exporter to a form that stays', async () => {
    const bytes = writeModel(await loadModel(join(import.meta.dirname, 'testdata/lenet5-half-mnist.onnx')));
    assert.deepEqual(writeModel(readModel(bytes)), bytes);
  });

  const large = float32([40_000], new Float32Array(40_000).fill(0.5));
  const withLarge = houseModel(
    graphWith(
      new Map([
        ['first', large],
        ['small', int64([1], [2])],
        ['second', large],
      ]),
    ),
    { author: 'test' },
  );

  it('gives the bytes that any serialiser of the format gives', () => {
    const bytes = writeModel(withLarge);
    assert.deepEqual(bytes, toBinary(ModelProtoSchema, fromBinary(ModelProtoSchema, bytes)));
  });

  it('copies no large weights into the pieces of a file', () => {
    const pieces = modelPieces(withLarge);
    assert.equal(pieces.filter(({ buffer }) => buffer === large.data.buffer).length, 2);
    assert.deepEqual(Buffer.concat(pieces), Buffer.from(writeModel(withLarge)));
  });

  it('can leave large weights beside the model', () => {
    const { bytes, weights } = splitModel(withLarge, 1000);
    assert.ok(bytes.length < 2000);
    const locations = besideOf(fromBinary(ModelProtoSchema, bytes));
    assert.deepEqual(
      locations,
      new Map([
        ['first', 'weights-0'],
        ['small', undefined],
        ['second', 'weights-1'],
      ]),
    );
    assert.deepEqual(
      weights.map(({ location, data }) => [location, data.byteLength, data.buffer === large.data.buffer]),
      [
        ['weights-0', 160_000, true],
        ['weights-1', 160_000, true],
      ],
    );
  });
});

/** Where each weight says that it stands. */
const besideOf = ({ graph }: ModelProto): Map<string, string | undefined> =>
  new Map(
    graph?.initializer.map(({ name, externalData }) => [
      name,
      externalData.find(({ key }) => key === 'location')?.value,
    ]),
  );
