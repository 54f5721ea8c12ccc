import { create, toBinary } from '@bufbuild/protobuf';
import { WorkbenchError } from '../base/errors.ts';
import type { Tensor } from '../base/tensor.ts';
import { attributeInt64, codeOfDtype } from './element-types.ts';
import {
  type Attribute,
  type Dim,
  type Graph,
  HOUSE_IR_VERSION,
  HOUSE_OPSET,
  type OnnxModel,
  type ValueInfo,
} from './graph.ts';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  GraphProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  type TensorProto,
  TensorProtoSchema,
  type TensorShapeProto_Dimension,
  TensorShapeProto_DimensionSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './proto/onnx_pb.generated.ts';
import { attributeTypes } from './read/attribute.ts';

const sizeLimitBytes = 2 ** 31 - 1;

const utf8 = new TextEncoder();

const bytesOf = ({ data }: Tensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

const tensorProto = (name: string, tensor: Tensor): TensorProto =>
  create(TensorProtoSchema, { ...tensorFacts(name, tensor), rawData: bytesOf(tensor) });

const tensorFacts = (name: string, { dtype, dims }: Tensor) => ({
  name,
  dims: dims.map(BigInt),
  dataType: codeOfDtype(dtype),
});

function dimension(dim: Dim): TensorShapeProto_Dimension {
  const schema = TensorShapeProto_DimensionSchema;
  if (dim === '') return create(schema);
  return create(schema, {
    value: typeof dim === 'number' ? { case: 'dimValue', value: BigInt(dim) } : { case: 'dimParam', value: dim },
  });
}

function valueProto({ name, dtype, shape }: ValueInfo): ValueInfoProto {
  const elemType = codeOfDtype(dtype);
  const tensorType = shape === undefined ? { elemType } : { elemType, shape: { dim: shape.map(dimension) } };
  return create(ValueInfoProtoSchema, { name, type: { value: { case: 'tensorType', value: tensorType } } });
}

function attributeProto(name: string, attribute: Attribute): AttributeProto {
  const proto = create(AttributeProtoSchema, { name, type: attributeTypes[attribute.type] });
  switch (attribute.type) {
    case 'int':
      proto.i = attributeInt64(attribute.value);
      break;
    case 'float':
      proto.f = attribute.value;
      break;
    case 'string':
      proto.s = utf8.encode(attribute.value);
      break;
    case 'ints':
      proto.ints = attribute.value.map(attributeInt64);
      break;
    case 'floats':
      proto.floats = [...attribute.value];
      break;
    case 'strings':
      proto.strings = attribute.value.map((text) => utf8.encode(text));
      break;
    case 'tensor':
      proto.t = tensorProto('', attribute.value);
      break;
    case 'graph':
      proto.g = graphProto(attribute.value);
      break;
  }
  return proto;
}

const byKey = <T>([a]: readonly [string, T], [b]: readonly [string, T]): number => (a < b ? -1 : a > b ? 1 : 0);

/** Weights from `besideFromBytes` on are left out, numbered in their order. */
function graphProto(graph: Graph, besideFromBytes = Infinity): GraphProto {
  let left = 0;
  const initializer = [...graph.initializers].map(([name, tensor]) =>
    tensor.data.byteLength >= besideFromBytes ? besideProto(name, tensor, left++) : tensorProto(name, tensor),
  );
  return create(GraphProtoSchema, {
    name: graph.name,
    input: graph.inputs.map(valueProto),
    output: graph.outputs.map(valueProto),
    initializer,
    valueInfo: [...graph.valueInfo.values()].map(valueProto),
    node: graph.nodes.map((node) =>
      create(NodeProtoSchema, {
        name: node.name,
        domain: node.domain,
        opType: node.op,
        input: [...node.inputs],
        output: [...node.outputs],
        attribute: Object.entries(node.attributes)
          .toSorted(byKey)
          .map(([name, attribute]) => attributeProto(name, attribute)),
      }),
    ),
  });
}

/** The bytes of a ModelProto; equal models give equal bytes. Symbolic dimensions are kept. */
export function writeModel(model: OnnxModel): Uint8Array {
  const pieces = modelPieces(model);
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.length;
  }
  return whole;
}

/** What writeModel gives, in pieces: weights are seen where they are, so that a large model needs no copy of them. */
export function modelPieces(model: OnnxModel): readonly Uint8Array[] {
  const { initializers } = model.graph;
  let sizeBytes = 0;
  for (const { data } of initializers.values()) sizeBytes += data.byteLength;
  if (sizeBytes > sizeLimitBytes) {
    throw new WorkbenchError(
      'MODEL_UNSUITABLE',
      `An ONNX file holds at most ${sizeLimitBytes} bytes, the weights have ${sizeBytes}`,
      {
        hint: 'Use a smaller model.',
      },
    );
  }
  // Fields stand in the order of their numbers, as every serialiser writes them: weights after nodes and name.
  const { node, name, input, output, valueInfo } = graphProto({ ...model.graph, initializers: new Map() });
  const graph = [
    toBinary(GraphProtoSchema, create(GraphProtoSchema, { node, name })),
    ...[...initializers].flatMap(([key, tensor]) => initializerPieces(key, tensor)),
    toBinary(GraphProtoSchema, create(GraphProtoSchema, { input, output, valueInfo })),
  ];
  const graphBytes = graph.reduce((sum, piece) => sum + piece.length, 0);
  const { irVersion, producerName, opsetImport, metadataProps } = modelProto(model);
  return joinSmall([
    toBinary(ModelProtoSchema, create(ModelProtoSchema, { irVersion, producerName })),
    lengthPrefix(ModelProtoSchema.field.graph.number, graphBytes),
    ...graph,
    toBinary(ModelProtoSchema, create(ModelProtoSchema, { opsetImport, metadataProps })),
  ]);
}

function modelProto({ irVersion, producer, opset, otherOpsets, metadata }: OnnxModel): ModelProto {
  const imports = [['', opset] as const, ...Object.entries(otherOpsets).toSorted(byKey)];
  return create(ModelProtoSchema, {
    irVersion: BigInt(irVersion),
    producerName: producer,
    opsetImport: imports.map(([domain, version]) => ({ domain, version: BigInt(version) })),
    metadataProps: Object.entries(metadata)
      .toSorted(byKey)
      .map(([key, value]) => ({ key, value })),
  });
}

function initializerPieces(name: string, tensor: Tensor): readonly Uint8Array[] {
  const data = bytesOf(tensor);
  const facts = toBinary(TensorProtoSchema, create(TensorProtoSchema, tensorFacts(name, tensor)));
  const beforeData = lengthPrefix(TensorProtoSchema.field.rawData.number, data.length);
  const length = facts.length + beforeData.length + data.length;
  return [lengthPrefix(GraphProtoSchema.field.initializer.number, length), facts, beforeData, data];
}

/** The tag of a field that has a length, and the length. */
export function lengthPrefix(field: number, length: number): Uint8Array {
  const bytes = [field * 8 + 2];
  let left = length;
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) + 128);
  return Uint8Array.from([...bytes, left]);
}

/** Pieces from this size on are worth no copy. */
const largeBytes = 2 ** 16;

function joinSmall(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  const joined: Uint8Array[] = [];
  let small: Uint8Array[] = [];
  const flush = (): void => {
    if (small.length > 0) joined.push(Buffer.concat(small));
    small = [];
  };
  for (const piece of pieces) {
    if (piece.length < largeBytes) small.push(piece);
    else {
      flush();
      joined.push(piece);
    }
  }
  flush();
  return joined;
}

/** A model whose large weights stand beside it, by the names that it gives them. */
export interface SplitModel {
  readonly bytes: Uint8Array;
  readonly weights: readonly { readonly location: string; readonly data: Uint8Array }[];
}

/** As writeModel, with the weights from `fromBytes` on left out as external data, seen where they are. */
export function splitModel(model: OnnxModel, fromBytes: number): SplitModel {
  const proto = create(ModelProtoSchema, { ...modelProto(model), graph: graphProto(model.graph, fromBytes) });
  const large = [...model.graph.initializers.values()].filter(({ data }) => data.byteLength >= fromBytes);
  return {
    bytes: toBinary(ModelProtoSchema, proto),
    weights: large.map((tensor, index) => ({ location: locationOf(index), data: bytesOf(tensor) })),
  };
}

const locationOf = (index: number): string => `weights-${index}`;

/** TensorProto.data_location: not in this message. */
const beside = 1;

function besideProto(name: string, tensor: Tensor, index: number): TensorProto {
  const entries = { location: locationOf(index), offset: '0', length: String(tensor.data.byteLength) };
  return create(TensorProtoSchema, {
    ...tensorFacts(name, tensor),
    dataLocation: beside,
    externalData: Object.entries(entries).map(([key, value]) => ({ key, value })),
  });
}

/** A graph of house-opset nodes as a model. */
export const houseModel = (graph: Graph, metadata: Readonly<Record<string, string>> = {}): OnnxModel => ({
  irVersion: HOUSE_IR_VERSION,
  opset: HOUSE_OPSET,
  otherOpsets: {},
  producer: 'palimpsest',
  graph,
  metadata,
});
