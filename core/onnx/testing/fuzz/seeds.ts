import { inferTypes } from '../../infer-table.ts';
import { writeModel } from '../../write.ts';
import { inferCases } from '../infer-cases.ts';
import { bytesOf, type GraphInit, type NodeInit, typed } from '../model-bytes.ts';
import { contextOf, oneNodeModel } from '../one-node.ts';
import { type Seed, seedOf } from './mutate-model.ts';

const size = (value: bigint) => ({ value: { case: 'dimValue', value } }) as const;
const shaped = (name: string, dims: readonly bigint[], elemType = 1) =>
  ({ name, type: { value: { case: 'tensorType', value: { elemType, shape: { dim: dims.map(size) } } } } }) as const;
const floats = (name: string, dims: readonly number[]) => ({
  name,
  dims: dims.map(BigInt),
  dataType: 1,
  rawData: new Uint8Array(Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i)).buffer),
});
const int64s = (name: string, values: readonly number[]) => ({
  name,
  dims: [BigInt(values.length)],
  dataType: 7,
  int64Data: values.map(BigInt),
});
const ints = (name: string, ...values: number[]) => ({ name, type: 7, ints: values.map(BigInt) });
const int = (name: string, value: number) => ({ name, type: 2, i: BigInt(value) });
const node = (
  opType: string,
  input: string[],
  output: string,
  ...attribute: NonNullable<NodeInit['attribute']>
): NodeInit => ({
  opType,
  name: `${opType}_${output}`,
  input,
  output: [output],
  attribute,
});

const classifierWeights = [
  floats('w1', [4, 1, 3, 3]),
  floats('b1', [4]),
  floats('s', [4]),
  floats('m', [4]),
  floats('w2', [3, 16]),
  floats('b2', [3]),
];
const classifierNodes = [
  node('Conv', ['x', 'w1', 'b1'], 'c', ints('kernel_shape', 3, 3), ints('pads', 1, 1, 1, 1), ints('strides', 2, 2)),
  node('BatchNormalization', ['c', 's', 'b1', 'm', 's'], 'n', { name: 'epsilon', type: 1, f: 1e-5 }),
  node('Relu', ['n'], 'r'),
  node('MaxPool', ['r'], 'p', ints('kernel_shape', 2, 2), ints('strides', 2, 2)),
  node('Flatten', ['p'], 'f', int('axis', 1)),
  node('Gemm', ['f', 'w2', 'b2'], 'logits', int('transB', 1)),
  node('Softmax', ['logits'], 'y', int('axis', 1)),
];
const image = shaped('x', [1n, 1n, 8n, 8n]);

const classifier = (opset: bigint): Uint8Array =>
  bytesOf(
    { input: [image], output: [shaped('y', [1n, 3n])], node: classifierNodes, initializer: classifierWeights },
    {
      opsetImport: [{ version: opset }],
      producerName: 'seed',
      metadataProps: [{ key: 'palimpsest.normalisation', value: '{"mean":[0],"std":[1]}' }],
    },
  );

/** What TorchScript exports are full of: sizes that are worked out in the graph. */
const shapeArithmetic = bytesOf(
  {
    input: [image],
    output: [typed('y')],
    initializer: [
      int64s('zero', [0]),
      int64s('rest', [-1]),
      int64s('two', [2]),
      int64s('ends', [9_007_199_254_740_991]),
    ],
    node: [
      node('Shape', ['x'], 'shape'),
      node('Gather', ['shape', 'zero'], 'batch', int('axis', 0)),
      node('Concat', ['batch', 'rest'], 'target', int('axis', 0)),
      node('Reshape', ['x', 'target'], 'flat'),
      node('ConstantOfShape', ['batch'], 'zeros'),
      node('Slice', ['shape', 'two', 'ends'], 'sides'),
      node('Cast', ['sides'], 'real', int('to', 1)),
      node('Unsqueeze', ['zeros', 'zero'], 'wide'),
      node('Expand', ['wide', 'target2'], 'expanded'),
      node('Mul', ['batch', 'two'], 'target2'),
      node('Tile', ['flat', 'twice'], 'tiled'),
      node('Concat', ['two', 'batch'], 'twice', int('axis', 0)),
      node('ReduceMean', ['tiled'], 'y', int('keepdims', 1)),
    ],
  },
  { opsetImport: [{ version: 17n }] },
);

const inner = (name: string, opType: string): GraphInit => ({
  name,
  output: [typed('o')],
  node: [node(opType, ['x'], 'o')],
});

/** Branches, a loop, functions in functions. */
const control = bytesOf(
  {
    input: [image],
    output: [typed('y')],
    initializer: [
      { name: 'yes', dims: [], dataType: 9, int32Data: [1] },
      { name: 'trips', dims: [], dataType: 7, int64Data: [3n] },
    ],
    node: [
      node(
        'If',
        ['yes'],
        'branch',
        { name: 'then_branch', type: 5, g: inner('then', 'Relu') },
        { name: 'else_branch', type: 5, g: inner('else', 'Neg') },
      ),
      node('Loop', ['trips', '', 'branch'], 'looped', {
        name: 'body',
        type: 5,
        g: {
          name: 'body',
          input: [typed('i', 7), typed('c', 9), typed('v')],
          output: [typed('c2', 9), typed('v2')],
          node: [node('Identity', ['c'], 'c2'), node('Abs', ['v'], 'v2')],
        },
      }),
      { ...node('Outer', ['looped'], 'y', { name: 'a', type: 1, f: 0.5 }), domain: 'local' },
    ],
  },
  {
    opsetImport: [{ version: 21n }, { domain: 'local', version: 1n }],
    functions: [
      {
        name: 'Outer',
        domain: 'local',
        input: ['a'],
        output: ['b'],
        attribute: ['a'],
        opsetImport: [{ version: 21n }],
        node: [
          { ...node('Inner', ['a'], 't'), domain: 'local' },
          node('LeakyRelu', ['t'], 'b', { name: 'alpha', refAttrName: 'a', type: 1 }),
        ],
      },
      { name: 'Inner', domain: 'local', input: ['p'], output: ['q'], node: [node('Tanh', ['p'], 'q')] },
    ],
  },
);

/** Data in every place where a tensor may have them. */
const tensors = bytesOf({
  input: [image],
  output: [typed('y')],
  initializer: [
    { name: 'f', dims: [2n], dataType: 1, floatData: [1, 2] },
    { name: 'd', dims: [1n], dataType: 11, doubleData: [1] },
    { name: 'h', dims: [2n], dataType: 10, int32Data: [15_360, 16_384] },
    { name: 'q', dims: [2n], dataType: 3, int32Data: [-1, 1] },
    { name: 'b', dims: [1n], dataType: 16, rawData: new Uint8Array(2) },
    { name: 'u', dims: [1n], dataType: 13, uint64Data: [7n] },
    {
      name: 'e',
      dims: [2n],
      dataType: 1,
      dataLocation: 1,
      externalData: [
        { key: 'location', value: 'weights.bin' },
        { key: 'offset', value: '0' },
        { key: 'length', value: '8' },
      ],
    },
  ],
  node: [
    {
      opType: 'Constant',
      output: ['k'],
      attribute: [{ name: 'value', type: 4, t: { dims: [], dataType: 1, floatData: [3] } }],
    },
    node('Mul', ['x', 'k'], 'y'),
  ],
});

const quantised = bytesOf(
  {
    input: [image],
    output: [typed('y')],
    initializer: [
      { name: 'scale', dims: [], dataType: 1, floatData: [0.1] },
      { name: 'zero', dims: [], dataType: 2, int32Data: [128] },
    ],
    node: [node('QuantizeLinear', ['x', 'scale', 'zero'], 'q'), node('DequantizeLinear', ['q', 'scale', 'zero'], 'y')],
  },
  { opsetImport: [{ version: 13n }] },
);

/** Small sound models that use what the format has: whole ones, and one for each operator that we know. */
export function fuzzSeeds(): { readonly whole: readonly Seed[]; readonly operators: readonly Seed[] } {
  const whole = [classifier(21n), classifier(13n), classifier(9n), shapeArithmetic, control, tensors, quantised];
  const operators = inferCases.map((one) => writeModel(oneNodeModel(one, inferTypes(contextOf(one)))));
  return { whole: whole.map(seedOf), operators: operators.map(seedOf) };
}
