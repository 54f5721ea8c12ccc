import { bytesOf, type GraphInit, type NodeInit, relu, type TensorInit, typed, withTensor } from '../model-bytes.ts';
import { type BadFile, breaking } from './bad-file.ts';

const weight = (tensor: TensorInit) => () => withTensor(tensor);
const ints = (name: string, values: readonly number[]) => ({
  name,
  dims: [BigInt(values.length)],
  dataType: 7,
  int64Data: values.map(BigInt),
});
const scalar = (name: string, value: number, dataType = 7) =>
  dataType === 7
    ? { name, dims: [], dataType, int64Data: [BigInt(value)] }
    : { name, dims: [], dataType, floatData: [value] };

/** A graph of an image and of what the nodes make of it; operator set 21. */
function image(initializer: NonNullable<GraphInit['initializer']>, ...node: NodeInit[]) {
  const size = (value: bigint) => ({ value: { case: 'dimValue', value } as const });
  const x = {
    name: 'x',
    type: {
      value: { case: 'tensorType', value: { elemType: 1, shape: { dim: [1n, 3n, 8n, 8n].map(size) } } } as const,
    },
  };
  return () => bytesOf({ input: [x], initializer, node }, { opsetImport: [{ version: 21n }] });
}

const node = (opType: string, input: string[], more: Partial<NodeInit> = {}): NodeInit => ({
  opType,
  input,
  output: ['y'],
  ...more,
});
const shape = (dim: readonly bigint[]) => ({
  name: 'x',
  type: {
    value: {
      case: 'tensorType',
      value: { elemType: 1, shape: { dim: dim.map((value) => ({ value: { case: 'dimValue', value } as const })) } },
    } as const,
  },
});

/** `count` values of `elements` zeros each, made from nothing. */
const manyConstants = (count: number, elements: number) =>
  image(
    [ints('s', [elements])],
    ...Array.from({ length: count }, (_, i) => ({ opType: 'ConstantOfShape', input: ['s'], output: [`c${i}`] })),
    node('Relu', ['x']),
  );

export const tensorFiles: readonly BadFile[] = [
  ...breaking('ONNX_E_DIMS', {
    'negative size': weight({ dims: [-3n], dataType: 1 }),
    'smallest number there is': weight({ dims: [-(2n ** 63n)], dataType: 1 }),
    'product that overflows': weight({ dims: [2n ** 32n, 2n ** 32n], dataType: 1 }),
    'product that comes round to four': weight({
      dims: [2n ** 31n, 2n ** 31n, 4n],
      dataType: 1,
      rawData: new Uint8Array(16),
    }),
    'largest number there is': weight({ dims: [2n ** 63n - 1n], dataType: 1 }),
    'nothing times very much': weight({ dims: [0n, 2n ** 60n], dataType: 1 }),
    'a hundred sizes': weight({ dims: Array.from({ length: 100 }, () => 1n), dataType: 1, floatData: [1] }),
    'two negative sizes': weight({ dims: [-2n, -2n], dataType: 1, floatData: [1, 2, 3, 4] }),
    'input of an exabyte': () => bytesOf({ input: [shape([1n, 2n ** 60n])] }),
    'input with a hundred sizes': () => bytesOf({ input: [shape(Array.from({ length: 100 }, () => 1n))] }),
  }),
  ...breaking('ONNX_E_TENSOR_LENGTH', {
    'too few raw bytes': weight({ dims: [2n, 2n], dataType: 1, rawData: new Uint8Array(12) }),
    'too many raw bytes': weight({ dims: [2n, 2n], dataType: 1, rawData: new Uint8Array(20) }),
    'no raw bytes': weight({ dims: [2n], dataType: 1, rawData: new Uint8Array(0) }),
    'too few numbers': weight({ dims: [3n], dataType: 1, floatData: [1, 2] }),
    'too many numbers': weight({ dims: [1n], dataType: 7, int64Data: [1n, 2n] }),
    'no numbers': weight({ dims: [3n], dataType: 7 }),
    'numbers in the wrong list': weight({ dims: [2n], dataType: 1, doubleData: [1, 2] }),
    'a gigabyte that is not there': weight({ dims: [2n ** 28n], dataType: 1, rawData: new Uint8Array(4) }),
    'data for no elements': weight({ dims: [0n], dataType: 1, rawData: new Uint8Array(4) }),
    'constant with too little': () =>
      bytesOf({
        node: [
          {
            opType: 'Constant',
            output: ['y'],
            attribute: [{ name: 'value', type: 4, t: { dims: [9n], dataType: 1 } }],
          },
        ],
      }),
  }),
  ...breaking('ONNX_E_TENSOR_DATA', {
    'raw bytes and numbers': weight({ dims: [1n], dataType: 1, rawData: new Uint8Array(4), floatData: [1] }),
    'two lists of numbers': weight({ dims: [1n], dataType: 1, floatData: [1], int32Data: [1] }),
    'a segment': weight({ dims: [1n], dataType: 1, floatData: [1], segment: { begin: 0n, end: 1n } }),
    'a place that does not exist': weight({ dims: [1n], dataType: 1, floatData: [1], dataLocation: 2 }),
    'a negative place': weight({ dims: [1n], dataType: 1, floatData: [1], dataLocation: -1 }),
    'raw bytes and another file': weight({
      dims: [1n],
      dataType: 1,
      rawData: new Uint8Array(4),
      dataLocation: 1,
      externalData: [{ key: 'location', value: 'w' }],
    }),
    'another file that is not declared': weight({
      dims: [1n],
      dataType: 1,
      externalData: [{ key: 'location', value: 'w' }],
    }),
  }),
  ...breaking('ONNX_E_TENSOR_SIZE', {
    'beside the model, a terabyte': weight({
      dims: [2n ** 38n],
      dataType: 1,
      dataLocation: 1,
      externalData: [{ key: 'location', value: 'w' }],
    }),
    'beside the model, in one attribute': () =>
      bytesOf({
        node: [
          {
            opType: 'Constant',
            output: ['y'],
            attribute: [
              {
                name: 'value',
                type: 4,
                t: {
                  dims: [2n ** 35n],
                  dataType: 11,
                  dataLocation: 1,
                  externalData: [{ key: 'location', value: 'w' }],
                },
              },
            ],
          },
        ],
      }),
    'beside the model, of bytes': weight({
      dims: [2n ** 20n, 2n ** 15n],
      dataType: 2,
      dataLocation: 1,
      externalData: [{ key: 'location', value: 'w' }],
    }),
  }),
  ...breaking('ONNX_E_SPARSE', {
    empty: () => bytesOf({ sparseInitializer: [{}] }),
    'with values': () =>
      bytesOf({ sparseInitializer: [{ values: { name: 'w', dims: [1n], dataType: 1, floatData: [1] }, dims: [9n] }] }),
    'of an exabyte': () => bytesOf({ sparseInitializer: [{ dims: [2n ** 60n] }] }),
  }),
  ...breaking('ONNX_E_ELEMENT_TYPE', {
    'bfloat16 weight': weight({ dims: [1n], dataType: 16, rawData: new Uint8Array(2) }),
    'weight of text': weight({ dims: [1n], dataType: 8, stringData: [new Uint8Array(1)] }),
    'complex weight': weight({ dims: [1n], dataType: 14, floatData: [1, 2] }),
    'type of a later format': weight({ dims: [1n], dataType: 250, rawData: new Uint8Array(1) }),
    'no type': weight({ dims: [1n], floatData: [1] }),
    'constant of text': () =>
      bytesOf({
        node: [
          {
            opType: 'Constant',
            output: ['y'],
            attribute: [{ name: 'value', type: 4, t: { dims: [], dataType: 8, stringData: [new Uint8Array(2)] } }],
          },
        ],
      }),
  }),
  ...breaking('ONNX_E_VALUE_SIZE', {
    ConstantOfShape: image([ints('s', [2 ** 20, 2 ** 20])], node('ConstantOfShape', ['s'])),
    'ConstantOfShape of a negative size': image([ints('s', [-4])], node('ConstantOfShape', ['s'])),
    Expand: image([scalar('one', 1, 1), ints('s', [2 ** 12, 2 ** 12, 2 ** 6])], node('Expand', ['one', 's'])),
    'Expand of the image': image([ints('s', [2 ** 24, 3, 8, 8])], node('Expand', ['x', 's'])),
    Tile: image([ints('r', [1, 1, 2 ** 15, 2 ** 15])], node('Tile', ['x', 'r'])),
    'Tile of a negative count': image([ints('r', [1, 1, -8, 1])], node('Tile', ['x', 'r'])),
    Range: image([scalar('a', 0), scalar('b', 2 ** 40), scalar('c', 1)], node('Range', ['a', 'b', 'c'])),
    'Range of tiny steps': image(
      [scalar('a', 0, 1), scalar('b', 1, 1), scalar('c', 1e-30, 1)],
      node('Range', ['a', 'b', 'c']),
    ),
    Resize: image([ints('s', [1, 3, 2 ** 16, 2 ** 16])], node('Resize', ['x', '', '', 's'])),
    'Resize by scales': image(
      [{ name: 's', dims: [4n], dataType: 1, floatData: [1, 1, 1e5, 1e5] }],
      node('Resize', ['x', '', 's']),
    ),
    Pad: image([ints('p', [0, 0, 2 ** 16, 2 ** 16, 0, 0, 0, 0])], node('Pad', ['x', 'p'])),
    OneHot: image(
      [ints('i', [0, 1]), scalar('d', 2 ** 33), { name: 'v', dims: [2n], dataType: 1, floatData: [0, 1] }],
      node('OneHot', ['i', 'd', 'v']),
    ),
    'Conv with pads': image(
      [{ name: 'w', dims: [1n, 3n, 1n, 1n], dataType: 1, floatData: [1, 1, 1] }],
      node('Conv', ['x', 'w'], { attribute: [{ name: 'pads', type: 7, ints: [0n, 0n, 2n ** 16n, 2n ** 16n] }] }),
    ),
    'ConvTranspose with strides': image(
      [{ name: 'w', dims: [3n, 1n, 1n, 1n], dataType: 1, floatData: [1, 1, 1] }],
      node('ConvTranspose', ['x', 'w'], { attribute: [{ name: 'strides', type: 7, ints: [2n ** 14n, 2n ** 14n] }] }),
    ),
    'outer product': image(
      [ints('s', [2 ** 15, 1]), ints('t', [1, 2 ** 15])],
      { opType: 'ConstantOfShape', input: ['s'], output: ['a'] },
      { opType: 'ConstantOfShape', input: ['t'], output: ['b'] },
      node('MatMul', ['a', 'b']),
    ),
    'an input of its own': () => bytesOf({ input: [shape([1n, 3n, 2n ** 20n, 2n ** 20n])] }),
  }),
  ...breaking('ONNX_E_GRAPH_MEMORY', {
    'eight constants': manyConstants(8, 2 ** 26),
    'a thousand constants': manyConstants(1000, 2 ** 20),
    'a chain from one constant': image(
      [ints('s', [2 ** 27])],
      { opType: 'ConstantOfShape', input: ['s'], output: ['c0'] },
      ...Array.from({ length: 8 }, (_, i) => ({ ...relu, input: [`c${i}`], output: [i === 7 ? 'y' : `c${i + 1}`] })),
    ),
    'a chain from the image': image(
      [ints('s', [2 ** 18, 3, 8, 8])],
      { opType: 'Expand', input: ['x', 's'], output: ['c0'] },
      ...Array.from({ length: 200 }, (_, i) => ({
        ...relu,
        input: [`c${i}`],
        output: [i === 199 ? 'y' : `c${i + 1}`],
      })),
    ),
  }),
];

/** Models that look strange and are sound. */
export const soundFiles: Readonly<Record<string, () => Uint8Array>> = {
  'no elements': weight({ dims: [0n, 7n], dataType: 1 }),
  scalar: weight({ dims: [], dataType: 1, floatData: [1] }),
  'weight that nothing reads, of an unknown type': () =>
    bytesOf({ initializer: [{ name: 'v', dims: [1n], dataType: 17, rawData: new Uint8Array(1) }] }),
  'operator of onnxruntime off the path': () =>
    bytesOf({
      output: [typed('y')],
      node: [relu, { opType: 'ZipMap', domain: 'ai.onnx.ml', input: ['x'], output: ['z'] }],
    }),
  'free sizes below zero': () => bytesOf({ input: [shape([-1n, 3n])] }),
};
