import { create, toBinary } from '@bufbuild/protobuf';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import type { Value } from '../core/autodiff/builder.ts';
import { fillUniform, stream } from '../core/base/rng.ts';
import { sizeOf } from '../core/base/tensor.ts';
import type { OnnxModel } from '../core/onnx/graph.ts';
import {
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from '../core/onnx/proto/onnx_pb.generated.ts';
import { lengthPrefix } from '../core/onnx/write.ts';
import { uniform } from '../core/train/initialise.ts';
import { channelsOf, Network } from '../core/train/zoo/network.ts';

const small = { bias: false, weightInit: uniform(-0.02, 0.02) };

/** Blocks and filters of the four stages (He et al. 2016, table 1). */
const stages = [
  [3, 64],
  [4, 128],
  [6, 256],
  [3, 512],
] as const;

/** ResNet-50 for 224 × 224 images with torchvision's names: 25.6 million parameters, 102 MB, batch norms not folded. */
export function resnet50(): OnnxModel {
  const net = new Network('resnet50', { channels: 3, height: 224, width: 224, classes: 1000, seed: 0 });
  let x = net.relu(net.batchNorm('bn1', net.conv('conv1', net.input, 64, 7, { stride: 2, pad: 3, ...small })));
  x = net.g.maxPool(x, { kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] });
  stages.forEach(([blocks, filters], stage) => {
    for (let block = 0; block < blocks; block++) {
      const stride = stage > 0 && block === 0 ? 2 : 1;
      x = bottleneck(net, `layer${stage + 1}.${block}`, x, filters, stride);
    }
  });
  return net.finish(net.linear('fc', net.globalPool(x), 1000));
}

function bottleneck(net: Network, name: string, x: Value, filters: number, stride: number): Value {
  const unit = (part: string, from: Value, to: number, kernel: number, step = 1): Value => {
    const conv = net.conv(`${name}.conv${part}`, from, to, kernel, { stride: step, pad: (kernel - 1) / 2, ...small });
    return net.batchNorm(`${name}.bn${part}`, conv);
  };
  const inner = net.relu(unit('2', net.relu(unit('1', x, filters, 1)), filters, 3, stride));
  const y = unit('3', inner, 4 * filters, 1);
  if (stride === 1 && channelsOf(x) === 4 * filters) return net.relu(net.g.add(y, x));
  const projection = net.conv(`${name}.downsample.0`, x, 4 * filters, 1, { stride, ...small });
  return net.relu(net.g.add(y, net.batchNorm(`${name}.downsample.1`, projection)));
}

/** Units of the layers of a plain network on 3 × 32 × 32 images whose weights have 1.92 GB. */
export const wideLayers: readonly number[] = [3072, 8192, 8192, 8192, 8192, 8192, 8192, 8192, 5800, 1000];

interface LayerWeight {
  readonly name: string;
  readonly dims: readonly [outputs: number, inputs: number];
}

/**
 * Writes a network of linear layers to `path`, its weights inside the file or in one beside it, and never holds more of
 * them than a few megabytes. Gives the bytes written.
 */
export function writeWide(path: string, layers: readonly number[], place: 'inside' | 'beside'): number {
  const weights = layers.slice(1).map((outputs, index): LayerWeight => {
    return { name: `layers.${index}.weight`, dims: [outputs, layers[index] ?? 0] };
  });
  return place === 'inside' ? writeInside(path, weights) : writeBeside(path, weights);
}

function wideGraph(weights: readonly LayerWeight[]): GraphProto {
  const [first, last] = [weights[0]?.dims[1] ?? 0, weights.at(-1)?.dims[0] ?? 0];
  const side = Math.sqrt(first / 3);
  const node = (opType: string, inputs: string[], output: string): NodeProto =>
    create(NodeProtoSchema, { opType, name: output, input: inputs, output: [output] });
  const value = (name: string, sizes: readonly number[]) =>
    create(ValueInfoProtoSchema, {
      name,
      type: {
        value: {
          case: 'tensorType',
          value: {
            elemType: 1,
            shape: {
              dim: [
                { value: { case: 'dimParam', value: 'batch' } },
                ...sizes.map((size) => ({ value: { case: 'dimValue' as const, value: BigInt(size) } })),
              ],
            },
          },
        },
      },
    });
  const nodes = weights.flatMap(({ name }, index) => {
    const from = index === 0 ? 'flat' : `active${index - 1}`;
    const isLast = index === weights.length - 1;
    const gemm = node('Gemm', [from, name], isLast ? 'logits' : `hidden${index}`);
    gemm.attribute.push(...wideGemm.attribute);
    return isLast ? [gemm] : [gemm, node('Relu', [`hidden${index}`], `active${index}`)];
  });
  return create(GraphProtoSchema, {
    name: 'wide',
    input: [value('image', [3, side, side])],
    output: [value('logits', [last])],
    node: [node('Flatten', ['image'], 'flat'), ...nodes],
  });
}

const wideGemm = create(NodeProtoSchema, { attribute: [{ name: 'transB', type: 2, i: 1n }] });

const modelHead = { irVersion: 8n, producerName: 'open-large', opsetImport: [{ version: 17n }] };

function writeBeside(path: string, weights: readonly LayerWeight[]): number {
  const graph = wideGraph(weights);
  const location = `${basename(path)}.data`;
  let offset = 0;
  for (const { name, dims } of weights) {
    const length = 4 * sizeOf(dims);
    const entries = { location, offset: String(offset), length: String(length) };
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }));
    const tensor = { name, dims: dims.map(BigInt), dataType: 1, dataLocation: 1, externalData };
    graph.initializer.push(create(TensorProtoSchema, tensor));
    offset += length;
  }
  const bytes = toBinary(ModelProtoSchema, create(ModelProtoSchema, { ...modelHead, graph }));
  writeFileSync(path, bytes);
  writing(`${path}.data`, (write) => {
    for (const { dims } of weights) writeWeight(write, dims);
  });
  return bytes.length + offset;
}

/** Field numbers of ModelProto.graph, GraphProto.initializer and TensorProto.raw_data. */
const [graphField, initializerField, rawField] = [7, 5, 9];

/** What a serialiser would write, put together by hand: a message is its parts one after another. */
function writeInside(path: string, weights: readonly LayerWeight[]): number {
  const head = toBinary(ModelProtoSchema, create(ModelProtoSchema, modelHead));
  const graph = toBinary(GraphProtoSchema, wideGraph(weights));
  const tensors = weights.map(({ name, dims }) => {
    const facts = create(TensorProtoSchema, { name, dims: dims.map(BigInt), dataType: 1 });
    const length = 4 * sizeOf(dims);
    const start = Buffer.concat([toBinary(TensorProtoSchema, facts), lengthPrefix(rawField, length)]);
    return { dims, start: Buffer.concat([lengthPrefix(initializerField, start.length + length), start]), length };
  });
  const inside = tensors.reduce((sum, { start, length }) => sum + start.length + length, graph.length);
  const opening = Buffer.concat([head, lengthPrefix(graphField, inside), graph]);
  writing(path, (write) => {
    write(opening);
    for (const { start, dims } of tensors) {
      write(start);
      writeWeight(write, dims);
    }
  });
  return opening.length + inside - graph.length;
}

type Write = (bytes: Uint8Array) => void;

function writing(path: string, work: (write: Write) => void): void {
  const descriptor = openSync(path, 'wx');
  try {
    work((bytes) => {
      for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
    });
  } finally {
    closeSync(descriptor);
  }
}

const block = new Float32Array(2 ** 20);
fillUniform(stream(0, 'open-large'), block, -0.02, 0.02);

/** Little-endian numbers, the same million again and again. */
function writeWeight(write: Write, dims: readonly number[]): void {
  for (let left = sizeOf(dims); left > 0; left -= block.length) {
    write(new Uint8Array(block.buffer, 0, 4 * Math.min(left, block.length)));
  }
}
