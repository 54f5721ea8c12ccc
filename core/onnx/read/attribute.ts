import { isFieldSet } from '@bufbuild/protobuf';
import type { Attribute, Graph } from '../graph.ts';
import { type AttributeProto, AttributeProtoSchema, type GraphProto } from '../proto/onnx_pb.generated.ts';
import { refusal, shown } from './problem.ts';
import type { TensorReader } from './tensor.ts';

/** AttributeProto.type numbers. */
export const attributeTypes = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
} as const;

type AttributeType = keyof typeof attributeTypes;

const kinds = [
  'float',
  'int',
  'string',
  'tensor',
  'graph',
  'floats',
  'ints',
  'strings',
] as const satisfies AttributeType[];

const utf8 = new TextDecoder();

/** Old exporters leave the type out; then the field that is filled tells it. */
function kindOf(proto: AttributeProto): AttributeType | undefined {
  const declared = kinds.find((kind) => attributeTypes[kind] === proto.type);
  if (declared !== undefined) return declared;
  if (proto.type !== 0) return undefined;
  const { field } = AttributeProtoSchema;
  if (isFieldSet(proto, field.f)) return 'float';
  if (isFieldSet(proto, field.i)) return 'int';
  if (isFieldSet(proto, field.s)) return 'string';
  if (proto.t !== undefined) return 'tensor';
  if (proto.g !== undefined) return 'graph';
  if (proto.floats.length > 0) return 'floats';
  if (proto.strings.length > 0) return 'strings';
  return 'ints';
}

/** `where` names the node. Integers beyond ±2⁵³ (ends of slices) lose their last digits, never their meaning. */
export function readAttribute(
  proto: AttributeProto,
  where: string,
  tensors: TensorReader,
  readGraph: (proto: GraphProto) => Graph,
): Attribute {
  const type = kindOf(proto);
  switch (type) {
    case 'float':
      return { type, value: proto.f };
    case 'int':
      return { type, value: Number(proto.i) };
    case 'string':
      return { type, value: utf8.decode(proto.s) };
    case 'floats':
      return { type, value: proto.floats };
    case 'ints':
      return { type, value: proto.ints.map(Number) };
    case 'strings':
      return { type, value: proto.strings.map((bytes) => utf8.decode(bytes)) };
    case 'tensor':
      if (proto.t !== undefined) return { type, value: tensors.read(proto.t, `${proto.name} of ${where}`) };
      break;
    case 'graph':
      if (proto.g !== undefined) return { type, value: readGraph(proto.g) };
      break;
    default:
  }
  throw refusal(
    'ONNX_E_ATTRIBUTE',
    tensors.source,
    `expected attribute ${shown(proto.name)} of ${shown(where)} to be a number, string, tensor, graph or a list, got ${type === undefined ? `type ${proto.type}` : `no ${type}`}`,
  );
}
