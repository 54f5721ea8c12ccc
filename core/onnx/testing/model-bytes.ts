import { create, type Message, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import type { GenMessage } from '@bufbuild/protobuf/codegenv2';
import {
  type FunctionProtoSchema,
  type GraphProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
} from '../proto/onnx_pb.generated.ts';

/** Fields of a message that is yet to be made. */
type Fresh<Schema extends GenMessage<Message>> = Exclude<MessageInitShape<Schema>, { $typeName: string }>;
export type GraphInit = Fresh<typeof GraphProtoSchema>;
export type TensorInit = Fresh<typeof TensorProtoSchema>;
export type ModelInit = Fresh<typeof ModelProtoSchema>;
export type NodeInit = Fresh<typeof NodeProtoSchema>;
export type FunctionInit = Fresh<typeof FunctionProtoSchema>;

/** An input or output of an element type and no shape. */
export const typed = (name: string, elemType = 1) =>
  ({ name, type: { value: { case: 'tensorType', value: { elemType } } } }) as const;
export const relu = { opType: 'Relu', input: ['x'], output: ['y'], name: 'r' };

/** A model of one Relu, with parts of it replaced. */
export function bytesOf(graph: GraphInit = {}, model: ModelInit = {}): Uint8Array {
  const whole = { name: 'g', input: [typed('x')], output: [typed('y')], node: [relu], ...graph };
  return toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: 8n, opsetImport: [{ version: 17n }], graph: whole, ...model }),
  );
}

/** A model that adds the given initialiser `w` to its input. */
export const withTensor = (tensor: TensorInit): Uint8Array =>
  bytesOf({ node: [{ opType: 'Add', input: ['x', 'w'], output: ['y'] }], initializer: [{ name: 'w', ...tensor }] });
