import { bytesOf } from '../model-bytes.ts';
import { type BadFile, breaking, field, join, numberField, repeated, start, varint, withGraph } from './bad-file.ts';

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A graph in a Loop in a graph …, `depth` of them. */
function nestedGraphs(depth: number): Uint8Array {
  let graph = field(2, 'innermost');
  for (let i = 1; i < depth; i++) graph = field(1, field(5, field(6, graph)));
  return graph;
}

/** A sequence of sequences of … */
function nestedTypes(depth: number): Uint8Array {
  let type = new Uint8Array(0);
  for (let i = 0; i < depth; i++) type = new Uint8Array(field(4, field(1, type)));
  return withGraph(field(11, join(field(1, 'x'), field(2, type))));
}

const emptyNode = field(1, '');
const emptyTensor = field(5, '');
const emptyAttribute = field(5, '');

export const wireFiles: readonly BadFile[] = [
  ...breaking('ONNX_E_EMPTY', { 'nothing at all': () => new Uint8Array(0) }),
  ...breaking('ONNX_E_FORMAT', {
    text: () => text('This is not a model at all.'),
    'zip archive': () => Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 0, 0),
    'Python pickle': () => Uint8Array.of(0x80, 2, 0x7d, 0x71, 0),
    gzip: () => Uint8Array.of(0x1f, 0x8b, 8, 0, 0, 0, 0, 0),
    'HDF5 file': () => Uint8Array.of(0x89, 0x48, 0x44, 0x46, 13, 10, 26, 10),
    'onnxruntime flat buffer': () => Uint8Array.of(32, 0, 0, 0, 0x4f, 0x52, 0x54, 0x4d),
    'PNG image': () => Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10),
    'HTML error page': () => text('<!DOCTYPE html><html><body>404 Not Found</body></html>'),
  }),
  ...breaking('ONNX_E_WIRE_VARINT', {
    'IR version without an end': () => join([0x08], repeated(Uint8Array.of(0xff), 10), start),
    'number cut off by the end': () => join(start, [0x28, 0x80]),
    'length cut off by the end': () => join(start, [0x3a, 0xff]),
    'tag without an end': () => join(start, repeated(Uint8Array.of(0x80), 12)),
    'number cut off by its message': () => join(start, field(8, Uint8Array.of(0x10, 0x91)), field(7, '')),
    'packed number cut off': () => withGraph(field(5, field(7, Uint8Array.of(1, 2, 0x83)))),
  }),
  ...breaking('ONNX_E_WIRE_TAG', {
    'field zero': () => join(start, [0x00, 0x01]),
    'kind six': () => join(start, [0x0e, 0x01]),
    'kind seven': () => join(start, [0x0f, 0x01]),
    'end of a group': () => join(start, [0x0c]),
    'group without an end': () => join(start, [0xfb, 0x07, 0x08, 0x01]),
    'field beyond all numbers': () => join(start, varint(2n ** 40n), [1]),
  }),
  ...breaking('ONNX_E_WIRE_TYPE', {
    'graph as a number': () => join(start, numberField(7, 5)),
    'IR version as bytes': () => join([0x08, 8], field(1, 'eight')),
    'node name as a number': () => withGraph(field(1, numberField(3, 7))),
    'raw data as a number': () => withGraph(field(5, numberField(9, 1))),
    'float as eight bytes': () => withGraph(field(1, field(5, join([0x11], new Uint8Array(8))))),
  }),
  ...breaking('ONNX_E_WIRE_LENGTH', {
    'graph longer than the file': () => join(start, field(7, field(2, 'g'), 1000)),
    'name longer than its graph': () => withGraph(field(2, 'g', 50)),
    'tensor that reaches into the next': () => withGraph(join(field(5, field(8, 'w'), 60), field(5, field(8, 'v')))),
    'raw data of four exabytes': () => withGraph(field(5, join([0x4a], varint(2n ** 62n), [1, 2, 3]))),
    'raw data of two to the 32': () => withGraph(field(5, join([0x4a], varint(2n ** 32n + 3n), [1, 2, 3]))),
    'negative length': () => join(start, [0x3a], varint(-1n)),
    'length of ten bytes': () => withGraph(join([0x12], varint(4, 9), text('nam'))),
    'half a float': () => withGraph(field(5, field(4, new Uint8Array(7)))),
    'fixed number cut off': () => join(start, [0xfd, 0x07, 1, 2]),
    'unknown field longer than the file': () => join(start, field(1000, 'x', 99)),
    'cut in the middle': () => bytesOf().subarray(0, 40),
  }),
  ...breaking('ONNX_E_DEPTH', {
    'graphs in graphs': () => withGraph(nestedGraphs(9)),
    'graphs in graphs, twenty deep': () => withGraph(nestedGraphs(20)),
    'graphs in graphs without a bottom': () => withGraph(nestedGraphs(500)),
    'types in types': () => nestedTypes(40),
    'types in types without a bottom': () => nestedTypes(2000),
  }),
  ...breaking('ONNX_E_NODE_COUNT', {
    'nodes in the graph': () => withGraph(repeated(emptyNode, 200_001)),
    'nodes in functions': () => join(start, repeated(field(25, repeated(field(7, ''), 1000)), 201)),
    'nodes in branches': () => withGraph(repeated(field(1, field(5, field(6, repeated(emptyNode, 500)))), 400)),
  }),
  ...breaking('ONNX_E_TENSOR_COUNT', {
    weights: () => withGraph(repeated(emptyTensor, 200_001)),
    'attributes that are tensors': () => withGraph(repeated(field(1, repeated(field(5, field(5, '')), 100)), 2001)),
    'tensors in lists': () => withGraph(field(1, field(5, repeated(field(10, ''), 200_001)))),
  }),
  ...breaking('ONNX_E_FUNCTION_COUNT', {
    functions: () => join(start, repeated(field(25, ''), 10_001)),
    'functions with names': () => join(start, repeated(field(25, field(1, 'f')), 10_001)),
    'functions before the graph': () => join(start, repeated(field(25, field(10, 'd')), 10_001), field(7, '')),
  }),
  ...breaking('ONNX_E_ATTRIBUTE_COUNT', {
    'attributes of one node': () => withGraph(field(1, repeated(emptyAttribute, 1_000_001))),
    'attributes of many nodes': () => withGraph(repeated(field(1, repeated(emptyAttribute, 1000)), 1001)),
    'defaults of a function': () => join(start, field(25, repeated(field(11, ''), 1_000_001))),
  }),
  ...breaking('ONNX_E_VALUE_COUNT', {
    'inputs of the graph': () => withGraph(repeated(field(11, ''), 500_001)),
    'types of inner values': () => withGraph(repeated(field(13, ''), 500_001)),
    'inputs of a node': () => withGraph(field(1, repeated(field(1, 'x'), 10_001))),
    'outputs of a node': () => withGraph(field(1, repeated(field(2, ''), 10_001))),
    'inputs of a function': () => join(start, field(25, repeated(field(4, 'x'), 10_001))),
  }),
  ...breaking('ONNX_E_STRING_LENGTH', {
    'name of the graph': () => withGraph(field(2, 'g'.repeat(4097))),
    'name of a value': () => withGraph(field(1, field(1, 'x'.repeat(1_000_000)))),
    'operator type': () => withGraph(field(1, field(4, 'O'.repeat(5000)))),
    'documentation of 17 MB': () => join(start, field(6, new Uint8Array(17 * 2 ** 20).fill(65))),
    'string attribute of 17 MB': () => withGraph(field(1, field(5, field(4, new Uint8Array(17 * 2 ** 20))))),
  }),
  ...breaking('ONNX_E_DECODED_SIZE', {
    'metadata without content': () => join(start, repeated(field(14, ''), 1_100_000)),
    'sizes without content': () =>
      withGraph(field(11, field(2, field(1, field(2, repeated(field(1, ''), 1_100_000)))))),
    'numbers of one byte': () => withGraph(field(5, field(7, new Uint8Array(17_000_000)))),
    'names of one letter': () => withGraph(field(1, join(...Array.from({ length: 2000 }, () => manyAttributes)))),
  }),
];

/** Attribute names and strings that are short on the wire and long in memory. */
const manyAttributes = field(5, repeated(field(9, ''), 2200));
