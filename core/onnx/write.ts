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

function tensorProto(name: string, { dtype, dims, data }: Tensor): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dims: dims.map(BigInt),
    dataType: codeOfDtype(dtype),
    rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  });
}

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

function graphProto(graph: Graph): GraphProto {
  return create(GraphProtoSchema, {
    name: graph.name,
    input: graph.inputs.map(valueProto),
    output: graph.outputs.map(valueProto),
    initializer: [...graph.initializers].map(([name, tensor]) => tensorProto(name, tensor)),
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
  let sizeBytes = 0;
  for (const { data } of model.graph.initializers.values()) sizeBytes += data.byteLength;
  if (sizeBytes > sizeLimitBytes) {
    throw new WorkbenchError(
      'MODEL_UNSUITABLE',
      `An ONNX file holds at most ${sizeLimitBytes} bytes, the weights have ${sizeBytes}`,
      {
        hint: 'Use a smaller model.',
      },
    );
  }
  const imports = [['', model.opset] as const, ...Object.entries(model.otherOpsets).toSorted(byKey)];
  const proto = create(ModelProtoSchema, {
    irVersion: BigInt(model.irVersion),
    producerName: model.producer,
    graph: graphProto(model.graph),
    opsetImport: imports.map(([domain, version]) => ({ domain, version: BigInt(version) })),
    metadataProps: Object.entries(model.metadata)
      .toSorted(byKey)
      .map(([key, value]) => ({ key, value })),
  });
  return toBinary(ModelProtoSchema, proto);
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
